"""Open-loop load for streamed answers: when requests are sent, how their streams are read, and what their times come to."""
