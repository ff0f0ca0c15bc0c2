package timeline

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

// ecs is JSON lines in the Elastic Common Schema; what that has no field for
// stands in valkey.
type ecs struct{ l *report.Lines }

const ecsVersion = "8.17.0"

type (
	ecsEvent struct {
		Kind     string   `json:"kind"`
		Category []string `json:"category"`
		Type     []string `json:"type"`
		Action   string   `json:"action"`
		Module   string   `json:"module"`
		Dataset  string   `json:"dataset"`
	}
	ecsThreat struct {
		Framework string `json:"framework"`
		Technique struct {
			ID []string `json:"id"`
		} `json:"technique"`
	}
	ecsValkey struct {
		Offset    int64  `json:"offset"`
		DB        int32  `json:"db"`
		Key       string `json:"key,omitempty"`
		Basis     Basis  `json:"basis"`
		BasisOf   string `json:"basis_of"`
		NotBefore string `json:"not_before,omitempty"`
		NotAfter  string `json:"not_after,omitempty"`
	}
	ecsRecord struct {
		Timestamp string     `json:"@timestamp"`
		Message   string     `json:"message"`
		ECS       ecsMeta    `json:"ecs"`
		Event     ecsEvent   `json:"event"`
		File      ecsFile    `json:"file"`
		Threat    *ecsThreat `json:"threat,omitempty"`
		Valkey    ecsValkey  `json:"valkey"`
	}
	ecsMeta struct {
		Version string `json:"version"`
	}
	ecsFile struct {
		Path     string `json:"path"`
		Size     *int64 `json:"size,omitempty"`
		Mode     string `json:"mode,omitempty"`
		UID      string `json:"uid,omitempty"`
		GID      string `json:"gid,omitempty"`
		Accessed string `json:"accessed,omitempty"`
		MTime    string `json:"mtime,omitempty"`
		CTime    string `json:"ctime,omitempty"`
		Created  string `json:"created,omitempty"`
	}
)

func (x ecs) Event(e *Event) error {
	r := ecsRecord{Timestamp: stamp(e), Message: report.Escape(e.Message), ECS: ecsMeta{ecsVersion},
		Event:  ecsEvent{Kind: "event", Category: []string{ecsCategory(e.Kind)}, Type: []string{ecsType(e.Kind)}, Action: e.Kind, Module: "valkey", Dataset: "valkey.timeline"},
		File:   ecsFile{Path: report.Escape(e.Source)},
		Valkey: ecsValkey{Offset: e.Offset, DB: e.DB, Key: e.name(), Basis: e.Basis, BasisOf: e.Of, NotBefore: optional(e.NotBefore), NotAfter: optional(e.NotAfter)}}
	if f := e.File; f != nil {
		r.Event.Category = []string{"file"}
		r.File.Size, r.File.Mode, r.File.UID, r.File.GID = &f.Size, octal(f.Mode), strconv.Itoa(f.UID), strconv.Itoa(f.GID)
		for i, to := range []*string{&r.File.Accessed, &r.File.MTime, &r.File.CTime, &r.File.Created} {
			if f.Times[i] != 0 {
				*to = time.Unix(f.Times[i], 0).UTC().Format(time.RFC3339)
			}
		}
	}
	if e.Technique != "" {
		r.Threat = &ecsThreat{Framework: "MITRE ATT&CK"}
		r.Threat.Technique.ID = []string{e.Technique}
	}
	return x.l.Line(r)
}

func (x ecs) End(*Summary) error { return nil }

// octal is a mode in digits, as ECS has it: -rw-r----- is 0640.
func octal(mode string) string {
	bits := 0
	for _, b := range mode[1:] {
		bits <<= 1
		if b != '-' {
			bits |= 1
		}
	}
	return fmt.Sprintf("%04o", bits)
}

// ecsCategory is the category of an event of a server, or of what it holds.
func ecsCategory(kind string) string {
	if kind == "server-started" || kind == "server-stopped" {
		return "process"
	}
	return "database"
}

// ecsType is the type of an event among those that ECS expects of its category: a
// key that is made or deleted is a change of a database. The action says which.
func ecsType(kind string) string {
	switch {
	case kind == "file-born":
		return "creation"
	case strings.HasSuffix(kind, "-accessed"), kind == "consumer-seen", kind == "consumer-active", kind == "entry-delivered":
		return "access"
	case kind == "server-started":
		return "start"
	case kind == "server-stopped":
		return "end"
	case strings.HasSuffix(kind, "-failed"):
		return "error"
	}
	for _, suffix := range []string{"-written", "-added", "-changed", "-modified", "-renamed", "-moved", "-copied", "-set", "-removed", "-deleted", "-swapped", "-loaded"} {
		if strings.HasSuffix(kind, suffix) {
			return "change"
		}
	}
	if kind == "flushed" {
		return "change"
	}
	return "info"
}

// stamp is an event's time as RFC 3339, in microseconds.
func stamp(e *Event) string { return e.Time.UTC().Format("2006-01-02T15:04:05.000000Z07:00") }

func optional(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
