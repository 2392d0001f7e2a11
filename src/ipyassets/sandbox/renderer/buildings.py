PLANS = {}
