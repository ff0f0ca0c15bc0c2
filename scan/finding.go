package scan

import (
	"strconv"
	"time"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// A Finding is one secret at one place. Its JSON names are stable. All text in
// it is masked unless Config.Reveal is set; it may hold any bytes, so writers
// escape it.
type Finding struct {
	Rule       string     `json:"rule"`
	Category   Category   `json:"category"`
	Severity   Severity   `json:"severity"`
	Confidence Confidence `json:"confidence"`

	Source       string `json:"source"`
	Offset       int64  `json:"offset"`        // of the string or blob that holds the leaf, in Source
	Length       int64  `json:"length"`        // bytes at Offset
	RecordOffset int64  `json:"record_offset"` // of the key's record or the command

	DB       int32  `json:"db"`                    // -1 where there is none
	Presumed bool   `json:"db_presumed,omitempty"` // DB is: see keyspace.Event
	Key      string `json:"key"`
	KeyB64   string `json:"key_b64,omitempty"` // where the key is not UTF-8
	KeyType  string `json:"key_type"`
	Encoding string `json:"encoding,omitempty"`
	Where    Where  `json:"where"`
	Field    string `json:"field,omitempty"`
	FieldB64 string `json:"field_b64,omitempty"` // where the field is not UTF-8
	Index    *int64 `json:"index,omitempty"`     // of a list's element
	EntryID  string `json:"entry_id,omitempty"`  // of a stream's entry

	Chain []string `json:"chain"` // containers around the secret, outermost first

	Secret      string `json:"secret"`      // masked, or exactly the credential
	ID          string `json:"id"`          // the same for the same secret, wherever it stands
	Fingerprint string `json:"fingerprint"` // the same for the same secret at the same place of the keyspace

	State     string `json:"state"`
	ExpiresAt string `json:"expires_at,omitempty"` // RFC 3339
	WrittenAt string `json:"written_at,omitempty"` // RFC 3339
	TTLBasis  string `json:"ttl_basis,omitempty"`  // whose expiry it is: "key", "field", or "token" where the secret carries its own

	Framework string            `json:"framework,omitempty"`
	Identity  map[string]string `json:"identity,omitempty"`
	Proof     map[string]string `json:"proof,omitempty"`     // what the secret's own bytes prove: account of an AWS key id, alg none, a weak key, bits and encryption of a private key; never the secret
	Technique string            `json:"technique,omitempty"` // ATT&CK
	Also      []string          `json:"also,omitempty"`      // ids of the secrets that belong to it

	prefix string // of an AWS key's: what its partner may share
	leaf   int    // its place in the batch, while that is scanned
	plain  *plain // what of it was masked, if Config.Plain is set
}

// Where says which part of a key, or of the file, holds a finding.
type Where uint8

// The places.
const (
	WhereKey Where = iota
	WhereValue
	WhereField
	WhereMember
	WhereElement
	WhereScore
	WhereEntryField
	WhereEntryValue
	WhereGroup
	WhereConsumer
	WhereAttribute
	WhereFunction
	WhereAux
	WhereArgument
	wheres
)

var whereNames = [wheres]string{"key", "value", "field", "member", "element", "score", "entry-field", "entry-value",
	"group", "consumer", "attribute", "function", "aux", "argument"}

func (w Where) String() string { return nameOf(whereNames[:], w) }

// MarshalText writes the name.
func (w Where) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads the name.
func (w *Where) UnmarshalText(b []byte) error { return valueOf(w, whereNames[:], b, "place") }

// placeOf says where the value of an Element stands.
func placeOf(t keyspace.Type) Where {
	switch t {
	case keyspace.TypeNone:
		return WhereArgument
	case keyspace.List, keyspace.Array:
		return WhereElement
	case keyspace.Set, keyspace.SortedSet:
		return WhereMember
	case keyspace.Stream:
		return WhereEntryValue
	case keyspace.VectorSet:
		return WhereAttribute
	}
	return WhereValue
}

// fieldPlaceOf says where the field of an Element stands.
func fieldPlaceOf(t keyspace.Type) Where {
	if t == keyspace.Stream {
		return WhereEntryField
	}
	return WhereField
}

func formatMS(ms int64) string {
	return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano)
}

func formatID(id keyspace.StreamID) string {
	return strconv.FormatUint(id.MS, 10) + "-" + strconv.FormatUint(id.Seq, 10)
}
