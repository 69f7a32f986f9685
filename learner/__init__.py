"""Turns remembered tool calls into better ones: practise, judge, distil, measure."""
