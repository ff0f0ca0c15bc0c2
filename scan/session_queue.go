package scan

import (
	"bytes"
	"slices"
	"strings"
)

// Queues of jobs. A queue's key is one finding, which names the jobs; a secret
// in a job says which job it is an argument of, and which argument.
//
//	sidekiq          JSON with class, args and jid, in the lists queue:NAME and the sorted sets retry, schedule and dead
//	resque           JSON with class and args, in the lists resque:queue:NAME
//	celery           JSON with a body in base64, and headers that name the task (kombu); results under celery-task-meta-ID
//	rq               a hash rq:job:ID whose data is (function, instance, args, kwargs), compressed
//	bullmq           a hash bull:QUEUE:ID with name, data and opts
//	discourse        GLOBAL-ID|ID|CHANNEL|JSON in __mb_backlog_n_CHANNEL (message_bus)
//	laravel-queue    JSON whose job is Illuminate\Queue\CallQueuedHandler@call
var queueFrameworks = []framework{
	{name: "sidekiq", marks: []string{"\"jid\"", "\"class\"", "\"job_class\""}, judge: judgeSidekiq},
	{name: "laravel-queue", marks: []string{"callqueuedhandler", "illuminate\\\\queue"}, judge: judgeLaravelQueue},
	{name: "celery", marks: []string{"\"content-encoding\"", "celery-task-meta-", "\"body_encoding\"", "\"traceback\""}, judge: judgeCelery},
	{name: "rq", marks: []string{"rq:job:"}, judge: judgeRQ},
	{name: "bullmq", marks: []string{"bull:", "\"attempts\"", "processedon", "stacktrace"}, judge: judgeBull},
	{name: "discourse", marks: []string{"__mb_"}, judge: judgeMessageBus},
}

func isObject(v []byte) bool { return len(v) > 1 && v[0] == '{' }

func judgeSidekiq(p *probe) *session {
	v := p.first()
	if !isObject(v) || !bytes.Contains(v, []byte("\"class\"")) || !bytes.Contains(v, []byte("\"args\"")) && !bytes.Contains(v, []byte("\"payload\"")) {
		return nil
	}
	p.collect()
	job := p.find("class")
	if job == nil || p.find("jid") == nil && !p.has("queue:") && !p.has("failed") {
		return nil
	}
	s := p.queue(p.find("queue"))
	if p.find("jid") == nil {
		s.name = "resque"
	}
	return s
}

func judgeLaravelQueue(p *probe) *session {
	if !isObject(p.first()) {
		return nil
	}
	if p.collect(); p.find("job") == nil || p.find("displayname", "commandname") == nil {
		return nil
	}
	return p.queue(p.last())
}

func judgeCelery(p *probe) *session {
	if v := p.first(); !isObject(v) && !(p.has("unacked") && len(v) > 1 && v[0] == '[') { // a message and where it came from
		return nil
	}
	p.collect()
	switch {
	case p.find("body") != nil || p.under("headers"):
		if p.find("task") == nil && p.find("contenttype") == nil {
			return nil
		}
		return p.queue(p.find("routingkey"))
	case p.has("celery-task-meta-") && p.find("status") != nil:
		return p.queue([]byte("results"))
	}
	return nil
}

func judgeRQ(p *probe) *session {
	if p.field("data") == nil || p.field("origin") == nil && p.field("created_at") == nil {
		return nil
	}
	p.collect()
	return p.queue(p.field("origin"))
}

func judgeBull(p *probe) *session {
	if p.field("data") == nil || p.field("opts") == nil && p.field("timestamp") == nil {
		return nil
	}
	parts := bytes.Split(p.key, []byte(":"))
	if len(parts) < 3 {
		return nil
	}
	p.collect()
	return p.queue(parts[len(parts)-2])
}

func judgeMessageBus(p *probe) *session {
	parts := bytes.SplitN(p.first(), []byte("|"), 4)
	if len(parts) < 4 || !isDigits(parts[0]) || !isDigits(parts[1]) || len(parts[2]) == 0 || parts[2][0] != '/' {
		return nil
	}
	p.collect()
	return p.queue(parts[2])
}

// queue makes the finding of a queue of that name.
func (p *probe) queue(name []byte) *session {
	s := &session{rule: jobRule, id: p.key, identity: map[string]string{}}
	if len(name) > 0 {
		s.identity["queue"] = string(name)
	}
	var jobs []string
	for i := range p.facts {
		if job := p.job(&p.facts[i]); job != "" && !slices.Contains(jobs, job) && len(jobs) < maxRoles {
			jobs = append(jobs, job)
		}
	}
	slices.Sort(jobs)
	if len(jobs) > 0 {
		s.identity["job"] = strings.Join(jobs, ",")
	}
	return s
}

// job returns the name of a job if the fact is one.
func (p *probe) job(f *fact) string {
	v, path := p.value(f), string(p.path(f))
	if strings.HasSuffix(path, ".headers.task") {
		path = "headers.task" // of a message that a hash keeps
	}
	switch path {
	case "class", "headers.task", "displayName", "name", "args.job_class":
		if len(v) > 0 && len(v) <= 256 && isText(v) {
			return string(v)
		}
	case "data": // of RQ: the function comes first
		if isDotted(v) {
			return string(v)
		}
	case "description": // of RQ: func(arg, …)
		if k := bytes.IndexByte(v, '('); k > 0 && isDotted(v[:k]) {
			return string(v[:k])
		}
	}
	return ""
}

func isDotted(v []byte) bool {
	return len(v) > 2 && len(v) < 128 && bytes.IndexByte(v, '.') > 0 && run(v, 0, len(v), func(b byte) bool { return isWord(b) || b == '.' }) == len(v) && isLetter(v[0])
}

// nameJobs says in each finding of the key which job and which argument it is.
func (p *probe) nameJobs(framework string) {
	found := p.w.b.findings[p.findings:]
	for n, f := range found {
		if f.Framework != "" || f.Where == WhereKey {
			continue
		}
		i := f.leaf - p.base
		if i < 0 || i >= len(p.leaves) {
			continue
		}
		leaves := p.leaves
		if leaves[i].field.len() == 0 { // each element is a job
			leaves = p.leaves[i : i+1]
		}
		if n == 0 || found[n-1].leaf != f.leaf || leaves[0].field.len() == 0 {
			p.collectFrom(leaves)
		}
		job := ""
		for k := range p.facts {
			if job = p.job(&p.facts[k]); job != "" {
				break
			}
		}
		f.Framework = framework
		f.Identity = map[string]string{"argument": f.argument()}
		if job != "" {
			f.Identity["job"] = job
		}
	}
}

// argument names the place in a job: the field, and the paths through the
// containers.
func (f *Finding) argument() string {
	var parts []string
	if f.Field != "" {
		parts = append(parts, f.Field)
	}
	for _, c := range f.Chain {
		if k := strings.Index(c, ":$"); k >= 0 {
			if path := strings.TrimPrefix(c[k+2:], "."); path != "" {
				parts = append(parts, path)
			}
		}
	}
	return strings.Join(parts, ".")
}
