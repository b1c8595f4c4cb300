-- Parameters: number, name, checksum.
INSERT INTO loanwatch.migration (number, name, checksum)
VALUES (%s, %s, %s)
