"""How long a term was overrun, in days of the calendar and in working days, for many terms at once."""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, datetime

from layers.cases.worktime import WorkTime

_DECEMBER = (12, 31)


@dataclass(frozen=True)
class Overrun:
    """Counts days over of one city; working days of a year are worked out once."""

    work: WorkTime
    _years: dict[int, list[date]] = field(default_factory=dict, compare=False, repr=False)

    def calendar_days(self, due: datetime, end: datetime) -> int:
        """Local dates after that of `due`, up to that of `end`."""
        zone = self.work.city.zone
        return max(0, (end.astimezone(zone).date() - due.astimezone(zone).date()).days)

    def working_days(self, due: datetime, end: datetime) -> int:
        """Working days after that of `due` on which work has ended by `end`, as `WorkTime.spent` counts them."""
        zone = self.work.city.zone
        first, last = due.astimezone(zone).date(), end.astimezone(zone).date()
        if last <= first:
            return 0
        count = sum(
            self._until(min(last, date(year, *_DECEMBER))) - (self._until(first) if year == first.year else 0)
            for year in range(first.year, last.year + 1)
        )
        closes = datetime.combine(last, self.work.hours[-1][1], zone)
        return count - (end < closes and self.work.works(last))

    def _until(self, day: date) -> int:
        """Working days of the year of `day`, up to that one."""
        if day.year not in self._years:
            span = range(date(day.year, 1, 1).toordinal(), date(day.year, *_DECEMBER).toordinal() + 1)
            self._years[day.year] = [each for each in map(date.fromordinal, span) if self.work.works(each)]
        return bisect_right(self._years[day.year], day)
