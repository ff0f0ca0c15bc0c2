package scan

import (
	"bytes"
	"slices"
)

// gadgetFamily finds values that run a command in whoever reads them: objects of
// classes that do so while they are made, and names for Java to look up.
var gadgetFamily = []rule{
	{id: gadgetRule, description: "Serialised object that runs code when it is read", category: Artefact, severity: Critical, confidence: Likely, rank: rankDelivery, technique: "T1190", find: judged,
		next: "delete the value before an application reads it, and look for who wrote it"},
	{id: "jndi-lookup", description: "Text that makes Java load code from a remote host", category: Artefact, severity: High, confidence: Likely, rank: rankCommand, technique: "T1190",
		keywords: []string{"${jndi:", "${${"}, find: findLookup, next: "look for the address in the logs of the host and the network"},
	{id: "expression-injection", description: "Text that runs code in whatever reads it as a template, an expression or YAML", category: Artefact, severity: High, confidence: Likely, rank: rankCommand, technique: "T1190",
		keywords: expressions, find: findExpression, next: "look for who wrote the value, and in the log of the application for what it ran"},
}

// expressions are calls that applications do not store: of YAML, Node, Spring, OGNL,
// Jinja, Twig, FreeMarker, Velocity, ERB, React's and H2's.
var expressions = []string{
	"!!python/object/apply:", "!!python/object/new:", "!!javax.script.scriptenginemanager", "!ruby/object:gem::", "_$$nd_func$$_", "t(java.lang.runtime)", "@java.lang.runtime@",
	"__subclasses__()", "__globals__", "|filter('system')", "|filter(\"system\")", "freemarker.template.utility.execute", "forname(\"java.lang.runtime\")", "<%= system(", "<%= \x60",
	":__proto__:then", "init=runscript from 'http", "system \"file:///",
}

// findExpression reports the line.
func findExpression(w *worker, r *rule, f *fragment, from, to int) {
	begin, end := lineAround(f.data, from)
	line := f.data[begin:end]
	if f.isName || f.data[from] == '_' && f.data[from+1] == '_' && !inTemplate(f.data[begin:from]) || lower(f.data[from]) == 's' && !hasFold(line, "<!entity") {
		return
	}
	w.reportLine(r, f, from)
}

// inTemplate reports whether an expression is open behind the text before: {{ x.
func inTemplate(before []byte) bool {
	return bytes.LastIndex(before, []byte("{{")) > bytes.LastIndex(before, []byte("}}"))
}

const gadgetRule = "deserialization-payload"

// gadgets are classes that objects of applications have no use for.
var gadgets = []string{
	"org.apache.commons.collections.functors.invokertransformer", "org.apache.commons.collections4.functors.invokertransformer", "org.apache.commons.collections.functors.chainedtransformer",
	"org.codehaus.groovy.runtime.convertedclosure", "org.codehaus.groovy.runtime.methodclosure", "xalan.internal.xsltc.trax.templatesimpl",
	"com.sun.rowset.jdbcrowsetimpl", "bsh.xthis", "org.apache.commons.beanutils.beancomparator",
	"system.windows.data.objectdataprovider", "system.web.security.roleprincipal", "system.management.automation.psobject", "activitysurrogateselector",
	"activesupport::deprecation::deprecatedinstancevariableproxy", "gem::package::tarreader",
	`illuminate\broadcasting\pendingbroadcast`, `monolog\handler\syslogudphandler`, `monolog\handler\fingerscrossedhandler`, `monolog\handler\bufferhandler`, `monolog\handler\grouphandler`, `guzzlehttp\psr7\fnstream`, `phpggc`,
}

// pickleModules have functions that a pickle may ask for, and pickleCalls are those
// that run something.
var (
	pickleModules = []string{"os\nsystem", "posix", "subprocess", "builtins", "__builtin__"}
	pickleCalls   = setOf("system popen popen2 spawnl execv eval exec check_output check_call call getoutput")
)

// gadgetDecoder opens nothing: it looks at what the decoders of serialised objects
// open, before they do.
var gadgetDecoder = decoder{kind: "gadget", keywords: slices.Concat(gadgets, pickleModules), fits: isSerialised, open: reportGadget}

// isSerialised reports whether a value begins as an object does that is serialised.
func isSerialised(data []byte) bool {
	switch {
	case data[0] == 0x80, hasMagic(data), data[0] == 0 && hasBinaryShape(data[:minContainer]): // pickle, Java, Marshal; BinaryFormatter
		return true
	case data[0] == 'c': // pickle 0
		return true
	}
	return (data[0] == 'O' || data[0] == 'a' || data[0] == 'C') && data[1] == ':' && isDigit(data[2]) || data[0] == '{' && bytes.Contains(data, []byte(`"$type"`))
}

// reportGadget reports the first, and that the object is to be opened by another.
func reportGadget(w *worker, f *fragment, hits []hit, base uint32) bool {
	r := w.s.byID[gadgetRule]
	if r == nil {
		return false
	}
	for _, h := range hits {
		end := int(h.end - base)
		if begin := gadgetBefore(f.data, end); begin >= 0 {
			w.report(r, f, begin, end)
			return false
		}
	}
	return false
}

// gadgetBefore returns where a gadget begins that ends at a place, or -1.
func gadgetBefore(d []byte, end int) int {
	for _, g := range gadgets {
		if begin := end - len(g); begin >= 0 && foldPrefix(d[begin:], g) {
			return begin
		}
	}
	for _, m := range pickleModules {
		if begin := end - len(m); begin >= 0 && string(d[begin:end]) == m && (m == pickleModules[0] || callsOut(d[end:])) {
			return begin
		}
	}
	return -1
}

// callsOut reports whether behind a module's name, and the opcodes and lengths that
// stand there, the name of a function follows that runs something.
func callsOut(rest []byte) bool {
	at := run(rest, 0, 6, func(b byte) bool { return !isLetter(b) || b == 'X' })
	end := run(rest, at, 16, func(b byte) bool { return isWord(b) })
	return at > 0 && pickleCalls[string(bytes.ToLower(rest[at:end]))]
}

// lookups are what a name to look up may begin with, disguised or not.
var lookups = [...]string{"ldap:", "ldaps:", "rmi:", "dns:", "iiop:", "corba:", "nis:", "http:"}

// findLookup: ${jndi:ldap://host/a}, and ${${lower:j}ndi:…, as it is disguised.
func findLookup(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	end := run(d, to, maxLine, func(b byte) bool { return b > ' ' && b != '"' && b != '\'' && b != '<' })
	rest := d[to:end]
	disguised := d[to-1] == '{'
	for _, l := range lookups {
		if !disguised && foldPrefix(rest, l) {
			w.report(r, f, from, end)
			return
		}
	}
	if disguised && bytes.Contains(rest, []byte("://")) && (foldPrefix(rest, "lower:") || foldPrefix(rest, "upper:") || foldPrefix(rest, "env:") || foldPrefix(rest, "sys:") || foldPrefix(rest, "::-")) {
		w.report(r, f, from, end)
	}
}
