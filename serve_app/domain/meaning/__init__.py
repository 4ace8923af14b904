"""Whether two questions have one answer: their sense, the gates that compare two, the evidence of many wordings. Pure."""
