# Reads `go test -v` and prints what matters: a line a package, what was skipped
# or not tested and why, and the whole output of a package that fails. Under
# CI=true a skip is a failure, but for what internal/servertest says that this
# system cannot have, or that the run without the race detector has.
/^=== (RUN|CONT|NAME)/ { test = $3; next }
/^=== PAUSE/ { next }
!/^ *--- PASS/ { output = output $0 "\n" }
/^ +[^ ]+\.go:[0-9]+: / {
  said[test] = $0
  if (/not tested/) notes = notes $0 "\n"
}
/^ *--- SKIP/ {
  why = said[$3]
  notes = notes $0 "\n" (why ~ /not tested/ || why == "" ? "" : why "\n")
  if (why !~ /: (not on this system|-short): /) skips++
}
/^(ok|FAIL)[ \t]+[^ \t]+[ \t]/ || /no test files/ {
  printf "%s", notes
  if (/^FAIL/) { printf "%s", output; failed = 1 } else print
  fflush()
  output = notes = test = ""
  split("", said)
}
END {
  if (output !~ /^(FAIL|PASS)?\n?$/) printf "%s", output
  if (skips && ENVIRON["CI"] == "true") { print skips " skipped: under CI all tests must run"; failed = 1 }
  if (failed) print "FAIL"
  exit failed
}
