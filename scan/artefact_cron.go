package scan

import "bytes"

// cronFamily finds lines of a cron table (crontab(5)) whose command is an
// intruder's, and any that stand between line breaks as a snapshot needs them
// that is to pose as a table.
var cronFamily = []rule{
	{id: "cron-job", description: "Line of a cron table that fetches and runs commands", category: Artefact, severity: Critical, confidence: Likely, rank: rankDelivery, technique: "T1053.003",
		keywords: []string{"* * ", "*\t*\t", "@reboot ", "@hourly ", "@daily ", "@midnight ", "@every_minute ", "@reboot\t", "@hourly\t", "@daily\t"}, find: findCron,
		next: "look for a snapshot in /var/spool/cron and /etc/cron.d, isolate the host, and take the server off the network"},
}

func findCron(w *worker, r *rule, f *fragment, from, to int) {
	begin, end := lineAround(f.data, from)
	begin, end = trimmed(f.data, begin, end)
	if begin > from {
		return
	}
	line := f.data[begin:end]
	n := schedule(line)
	if n == 0 || begin+n <= from {
		return
	}
	for _, stars := range [...]string{"* * ", "*\t*\t"} {
		if k := bytes.Index(line, []byte(stars)); k >= 0 && begin+k < from {
			return // the line has been looked at
		}
	}
	command := bytes.TrimLeft(line[n:], " \t")
	bad, padded := isHostile(command), isPadded(f.data)
	if !bad && !(padded && bytes.IndexByte(command, '/') >= 0) {
		return
	}
	if m := w.report(r, f, begin, end); bad && padded {
		m.confidence = Confirmed
	}
}

// schedule returns the length of the times that a line of a cron table begins
// with, the spaces behind them included; 0 if it begins otherwise.
func schedule(line []byte) int {
	if len(line) > 0 && line[0] == '@' {
		end := run(line, 1, 16, func(b byte) bool { return isLetter(b) || b == '_' })
		switch string(line[1:end]) {
		case "reboot", "yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly", "every_minute":
			return scheduleEnd(line, end)
		}
		return 0
	}
	at, star := 0, false
	for range 5 {
		end := run(line, at, 32, func(b byte) bool { return isAlnum(b) || b == '*' || b == '/' || b == ',' || b == '-' })
		if end == at || end == len(line) || line[end] != ' ' && line[end] != '\t' || !isTimeField(line[at:end]) {
			return 0
		}
		star = star || line[at] == '*'
		at = run(line, end, 32, func(b byte) bool { return b == ' ' || b == '\t' })
	}
	if !star {
		return 0
	}
	return scheduleEnd(line, at)
}

func scheduleEnd(line []byte, at int) int {
	at = run(line, at, 32, func(b byte) bool { return b == ' ' || b == '\t' })
	if at == len(line) {
		return 0 // without a command
	}
	return at
}

// isTimeField: a star or a number first, or the name of a month or a day.
func isTimeField(v []byte) bool {
	if v[0] == '*' {
		return len(v) == 1 || v[1] == '/' && len(v) > 2 && isDigit(v[2])
	}
	return isDigit(v[0]) || len(v) == 3 && isLetter(v[0]) && isLetter(v[1]) && isLetter(v[2])
}
