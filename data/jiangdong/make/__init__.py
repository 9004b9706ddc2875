"""Makes what is not public of Jiangdong New Area: outlines, roads, places and incidents. All of it is invented."""
