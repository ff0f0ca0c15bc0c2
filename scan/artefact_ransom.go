package scan

import (
	"bytes"
	"crypto/sha256"
)

// ransomFamily finds notes that demand money for data. A note speaks of the
// reader's data, says what became of it or will, and names a sum or an address.
var ransomFamily = []rule{
	{id: "ransom-note", description: "Note that demands money for data", category: Artefact, severity: Critical, confidence: Likely, rank: rankCommand, technique: "T1485",
		keywords: []string{" btc", "bitcoin", " monero", " xmr", " usdt", " eth ", "ethereum", "биткоин", "биткойн", "比特币", "以太坊", "ビットコイン", ".onion", "ransom"}, find: findRansom,
		next: "pay nothing: what FLUSHALL removed was not kept; restore a snapshot and look for the way in"},
}

const aroundNote = 1 << 10

var (
	possession = newWordSet([]string{"your data", "your database", "your db", "your file", "your redis", "your server", "your key", "your record", "your backup", "your information", "all data", "all your", "your lost", "the database", "databases were", "your content", "database is",
		"ihre daten", "ihre datenbank", "vos données", "votre base", "sus datos", "su base de datos", "seus dados", "ваши данные", "ваша база", "база данных", "Ваши данные", "Ваша база", "вашу базу", "i tuoi dati", "i vostri dati", "il tuo database", "twoje dane", "您的数据", "你的数据", "数据库", "データ"})
	threat = newWordSet([]string{"encrypted", "backed up", "backup of", "downloaded", "deleted", "dumped", "exported", "stolen", "leak", "wiped", "removed", "lost", "recover", "restore", "get back", "get it back", "return", "ransom", "decrypt", "hacked", "publish", "sell your", "is gone", "have a copy", "exfiltrated",
		"sold ", "gelöscht", "gesichert", "wiederherst", "zurück", "récupérer", "recuperar", "cifrat", "usunięt", "сохранен", "восстанов", "скопирован", "恢复", "下载", "暗号化", "削除", "verschlüsselt", "supprimé", "chiffré", "cifrad", "eliminad", "apagad", "удален", "зашифрован", "删除", "备份", "加密"})
	demand = newWordSet([]string{"send", "pay ", "pay:", "payment", "transfer", "deposit", "must ", "contact", "write to", "e-mail", "email", "to this address", "wallet", "negotiate", " xmr to ", " btc to ",
		"senden", "überweis", "zahlen", "zahlung", "enviar", "pagar", "invia", "zapłać", "отправить", "Отправьте", "Заплатите", "переведите", "Переведите", "оплатите", "转账", "付款", "支払", "送金", "envoyez", "payez", "envíe", "pague", "envie", "отправьте", "заплатите", "支付", "发送"})
)

func findRansom(w *worker, r *rule, f *fragment, from, to int) {
	d := f.data
	text := near(d, from, to, aroundNote)
	if !possession.match(text) || !threat.match(text) || !demand.match(text) {
		return
	}
	confidence := Likely
	switch {
	case namesWallet(text), namesMonero(text):
		confidence = Confirmed
	case !namesSum(text) && !namesOnion(text):
		return
	}
	begin, end := trimmed(d, max(0, from-aroundNote), min(len(d), to+aroundNote))
	w.report(r, f, begin, end).confidence = confidence
}

// namesSum reports whether a number stands before the name of a currency:
// 0.05 BTC.
func namesSum(text []byte) bool {
	for _, unit := range [...]string{"btc", "bitcoin", "xmr", "monero", "usdt", "eth", "биткоин", "биткойн", "比特币", "以太坊", "ビットコイン"} {
		for at := 0; at+len(unit) <= len(text); at++ {
			if foldPrefix(text[at:], unit) {
				if k := bytes.LastIndexByte(text[:at], '$'); k >= 0 && at-k < 24 && k+1 < at && isDigit(text[k+1]) { // $500 in bitcoin
					return true
				}
				before := bytes.TrimRight(text[:at], " ")
				if len(before) > 0 && isDigit(before[len(before)-1]) && runBack(before, len(before), 12, func(b byte) bool { return isDigit(b) || b == '.' || b == ',' }) < len(before) {
					return true
				}
			}
		}
	}
	return false
}

// namesOnion reports whether a text names a host of Tor, 56 digits of base 32, beside
// what such notes are written for.
func namesOnion(text []byte) bool {
	k := bytes.Index(text, []byte(".onion"))
	return k >= 0 && k-runBack(text, k, 56, isAlnum) == 56 && (hasFold(text, "ransom") || hasFold(text, "decrypt"))
}

// namesWallet reports whether a word of the text is an address of Bitcoin whose
// checksum holds.
func namesWallet(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if end := run(text, i, 128, isAlnum); end > i {
			if n := end - i; n >= 26 && n <= 90 && (isBase58Check(text[i:end]) || isBech32(text[i:end])) {
				return true
			}
			i = end
		}
	}
	return false
}

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// isBase58Check: 21 bytes and the first four of their double SHA-256, in base 58
// (Bitcoin Core, base58.cpp). Addresses begin with 1 or 3.
func isBase58Check(v []byte) bool {
	if len(v) > 35 || v[0] != '1' && v[0] != '3' {
		return false
	}
	var out [25]byte
	for _, c := range v {
		digit := bytes.IndexByte([]byte(base58Alphabet), c)
		if digit < 0 {
			return false
		}
		for i := len(out) - 1; i >= 0; i-- {
			digit += 58 * int(out[i])
			out[i] = byte(digit)
			digit >>= 8
		}
		if digit != 0 {
			return false
		}
	}
	sum := sha256.Sum256(out[:21])
	sum = sha256.Sum256(sum[:])
	return bytes.Equal(sum[:4], out[21:])
}

const bech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// isBech32: an address of BIP 173 or BIP 350, bc1….
func isBech32(v []byte) bool {
	if len(v) < 14 || !foldPrefix(v, "bc1") {
		return false
	}
	sum := uint32(1)
	step := func(value uint32) {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ value
		for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 != 0 {
				sum ^= g
			}
		}
	}
	for _, value := range [...]uint32{'b' >> 5, 'c' >> 5, 0, 'b' & 31, 'c' & 31} { // "bc", spread
		step(value)
	}
	for _, c := range v[3:] {
		k := bytes.IndexByte([]byte(bech32Alphabet), lower(c))
		if k < 0 {
			return false
		}
		step(uint32(k))
	}
	return sum == 1 || sum == 0x2bc830a3
}
