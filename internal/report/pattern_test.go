package report

import "testing"

func TestPattern(t *testing.T) {
	for key, want := range map[string]string{
		"":                  "",
		"config":            "config",
		"user:1842:profile": "user:*:profile",
		"user:1842":         "user:*",
		"cache_v2":          "cache_v*",
		"order-2026-11-24":  "order-*-*-*",
		"celery-task-meta-" + "4415e7a1-3bc7-4f90-a89c-7390908dae47": "celery-task-meta-*",
		"cache-" + "9f86d081884c7d65":                                "cache-*",
		"rate_limit_" + "9f86d081884c7d65" + "_daily":                "rate_limit_*_daily",
		"2026-11-24":                                        "*",
		"backup1":                                           "backup*",
		"session/10.0.0.17/login":                           "session/*.*.*.*/login",
		"user:jane.doe@example.org":                         "user:*",
		"bull:mail:1234":                                    "bull:mail:*",
		"app_database_app_cache":                            "app_database_app_cache",
		"laravel_cache_:Zk3tYbQ9fHw2":                       "laravel_cache_:Zk*tYbQ*fHw*",
		"spring:session:sessions":                           "spring:session:sessions",
		"sess:550e8400-e29b-41d4-a716-446655440000":         "sess:*",
		"sess:" + "0123456789abcdef" + "0123456789abcdef":   "sess:*",
		":1:django.contrib.sessions.cache" + "x8k2j4h5zq1m": ":*:django.contrib.sessions.*",
		"token:" + "Zk3tYbQ9fHw2PmXr7LsV":                   "token:*",
		"id:01ARZ3NDEKTSV4RRFFQ69G5FAV":                     "id:*",
		"HelloWorldThisIsALongNameWithoutDigits":            "*",
		"bytes \xff\xfe":                                    "*",
		"sess:****EUCy":                                     "sess:*",
		"sess:****O_-y":                                     "sess:*",
		"a:****:b":                                          "a:*:b",
		"cache****5wno:****":                                "cache*:*",
		"dump-ghp_****5371.rdb":                             "dump-ghp_*.rdb",
		"{user}:1":                                          "{user}:*",
	} {
		if got := Pattern(key); got != want {
			t.Errorf("Pattern(%q) = %q, want %q", key, got, want)
		}
	}
}
