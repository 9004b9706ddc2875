from etl.account import Account


def test_an_account_balances_when_every_row_read_is_somewhere():
    account = Account(rows_read=10, inserted=1, updated=2, unchanged=3, superseded=0, quarantined=4, deleted=5)
    assert account.balanced
    assert account.changed == 8
    assert not Account(rows_read=10, inserted=9).balanced
