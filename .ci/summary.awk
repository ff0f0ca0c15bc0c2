# Reads `go test -v` and prints what matters: a line a package, what was skipped
# or not tested and why, and the whole output of a package that fails. Under
# CI=true a skip is a failure.
/^=== (RUN|PAUSE|CONT|NAME)/ { next }
!/^ *--- PASS/ { output = output $0 "\n" }
/was not tested$/ { notes = notes $0 "\n" }
/^ *--- SKIP/ { notes = notes $0 "\n" log_line; skips++ }
{ log_line = /^ +[^ ]+\.go:[0-9]+: / ? $0 "\n" : "" }
/^(ok|FAIL)[ \t]+[^ \t]+[ \t]/ || /no test files/ {
  printf "%s", notes
  if (/^FAIL/) { printf "%s", output; failed = 1 } else print
  fflush()
  output = notes = ""
}
END {
  if (output !~ /^(FAIL|PASS)?\n?$/) printf "%s", output
  if (skips && ENVIRON["CI"] == "true") { print skips " skipped: under CI all tests must run"; failed = 1 }
  if (failed) print "FAIL"
  exit failed
}
