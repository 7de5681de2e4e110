"""Whether the policy saw the same in two recordings: maximum mean discrepancy of features."""
