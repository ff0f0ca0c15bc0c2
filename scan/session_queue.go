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
//	bee-queue        a hash bq:QUEUE:jobs of JSON with data, and options with timestamp and stacktraces
//	kue              a hash q:job:ID with type, data and state
//	faktory          JSON with jobtype, args and jid
//	dramatiq         a hash dramatiq:QUEUE.msgs of JSON with actor_name and message_id
//	arq              a dict under arq:job:ID and arq:result:ID: f is the function, et when it was enqueued
//	huey             a pickled huey.registry.Message
//	asynq            a hash asynq:{QUEUE}:t:ID whose msg is a protocol buffer: type, payload, id, queue
//	hangfire         a hash hangfire:job:ID with Type, Method and Arguments
//	discourse        GLOBAL-ID|ID|CHANNEL|JSON in __mb_backlog_n_CHANNEL (message_bus)
//	laravel-queue    JSON whose job is Illuminate\Queue\CallQueuedHandler@call
var queueFrameworks = []framework{
	{name: "sidekiq", marks: []string{"\"jid\"", "\"class\"", "\"job_class\""}, judge: judgeSidekiq},
	{name: "laravel-queue", marks: []string{"callqueuedhandler", "illuminate\\\\queue"}, judge: judgeLaravelQueue},
	{name: "celery", marks: []string{"\"content-encoding\"", "celery-task-meta-", "\"body_encoding\"", "\"traceback\""}, judge: judgeCelery},
	{name: "rq", marks: []string{"rq:job:"}, judge: judgeRQ},
	{name: "bullmq", marks: []string{"bull:", "\"attempts\"", "processedon", "stacktrace"}, judge: judgeBull},
	{name: "bee-queue", marks: []string{"\"stacktraces\""}, judge: judgeBee},
	{name: "kue", marks: []string{"q:job:"}, judge: judgeKue},
	{name: "faktory", marks: []string{"\"jobtype\""}, judge: judgeFaktory},
	{name: "dramatiq", marks: []string{"\"actor_name\""}, judge: judgeDramatiq},
	{name: "arq", marks: []string{"arq:job:", "arq:result:"}, judge: judgeArq},
	{name: "huey", marks: []string{"huey.registry"}, judge: judgeHuey},
	{name: "asynq", marks: []string{"asynq:{"}, judge: judgeAsynq},
	{name: "hangfire", marks: []string{"hangfire:job:", "hangfire}:job:"}, judge: judgeHangfire},
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

func judgeBee(p *probe) *session {
	name, isJobs := bytes.CutSuffix(p.key, []byte(":jobs"))
	if !isJobs || !isObject(p.first()) {
		return nil
	}
	if p.collect(); p.find("timestamp") == nil {
		return nil
	}
	return p.queue(name[bytes.LastIndexByte(name, ':')+1:])
}

func judgeKue(p *probe) *session {
	if p.field("type") == nil || p.field("data") == nil || p.field("state") == nil {
		return nil
	}
	p.collect()
	return p.queue(p.field("type"))
}

func judgeFaktory(p *probe) *session {
	if !isObject(p.first()) {
		return nil
	}
	if p.collect(); p.find("jobtype") == nil || p.find("jid") == nil {
		return nil
	}
	return p.queue(p.find("queue"))
}

func judgeDramatiq(p *probe) *session {
	if !isObject(p.first()) {
		return nil
	}
	if p.collect(); p.find("actorname") == nil || p.find("messageid") == nil {
		return nil
	}
	return p.queue(p.find("queuename"))
}

func judgeArq(p *probe) *session {
	if p.collect(); p.find("f") == nil || p.find("et") == nil {
		return nil
	}
	return p.queue(p.find("q"))
}

func judgeHuey(p *probe) *session {
	p.collect()
	if s := p.queue(p.after("huey.redis.", "huey.schedule.")); s.identity["job"] != "" {
		return s
	}
	return nil
}

func judgeAsynq(p *probe) *session {
	if p.field("msg") == nil || p.field("state") == nil {
		return nil
	}
	p.collect()
	name, _, _ := bytes.Cut(p.after("asynq:{"), []byte("}"))
	return p.queue(name)
}

func judgeHangfire(p *probe) *session {
	if p.field("Type") == nil || p.field("Method") == nil || p.field("Arguments") == nil {
		return nil
	}
	p.collect()
	return p.queue(nil)
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
		if job := p.job(i); job != "" && !slices.Contains(jobs, job) && len(jobs) < maxRoles {
			jobs = append(jobs, job)
		}
	}
	slices.Sort(jobs)
	if len(jobs) > 0 {
		s.identity["job"] = strings.Join(jobs, ",")
	}
	return s
}

// job returns the name of a job if fact i is one.
func (p *probe) job(i int) string {
	v, path := p.value(&p.facts[i]), string(p.path(&p.facts[i]))
	for _, of := range []string{"headers.task", "actor_name"} {
		if strings.HasSuffix(path, "."+of) {
			path = of // of a message that a hash keeps
		}
	}
	switch path {
	case "class", "headers.task", "displayName", "name", "args.job_class", "jobtype", "actor_name", "f":
		if len(v) > 0 && len(v) <= 256 && isText(v) {
			return string(v)
		}
	case "type": // others have one that says something else
		if p.has("q:job:") {
			return string(v)
		}
	case "Method":
		of, _, _ := bytes.Cut(p.field("Type"), []byte(","))
		return string(of) + "." + string(v)
	case "msg": // of asynq: the type comes first
		if !slices.ContainsFunc(p.facts[:i], func(f fact) bool { return string(p.path(&f)) == path }) {
			return string(v)
		}
	case "": // of Huey: the id comes before the name
		if i > 0 && isDotted(v) && isUUID(p.value(&p.facts[i-1])) {
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
	job, last := "", -1
	ofAll, judged := "", false // of the hash whose fields make one job together
	for _, f := range p.w.b.findings[p.findings:] {
		i := f.leaf - p.base
		if f.Framework != "" || f.Where == WhereKey || i < 0 || i >= len(p.leaves) {
			continue
		}
		if i != last {
			job, last = p.jobOf(p.leaves[i:i+1]), i
			if job == "" && p.leaves[i].field.len() > 0 {
				if !judged {
					ofAll, judged = p.jobOf(p.leaves), true
				}
				job = ofAll
			}
		}
		f.Framework = framework
		f.Identity = map[string]string{"argument": f.argument()}
		if job != "" {
			f.Identity["job"] = job
		}
		p.w.hideIdentity(f)
	}
}

// jobOf returns the name of the job that leaves make.
func (p *probe) jobOf(leaves []leaf) string {
	p.collectFrom(leaves)
	for k := range p.facts {
		if job := p.job(k); job != "" {
			return job
		}
	}
	return ""
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
