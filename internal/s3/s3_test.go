package s3

import "testing"

func TestSplit(t *testing.T) {
	for location, want := range map[string][2]string{
		"s3://bucket/a/b.rdb": {"bucket", "a/b.rdb"},
		"s3://bucket/":        {"bucket", ""},
		"s3://bucket":         {"bucket", ""},
		"s3://":               {"", ""},
	} {
		if bucket, key := Split(location); [2]string{bucket, key} != want {
			t.Errorf("%s: %q, %q", location, bucket, key)
		}
	}
}

func TestClient(t *testing.T) {
	for _, c := range []struct {
		place Place
		want  string
	}{
		{Place{}, "https://s3.amazonaws.com"},
		{Place{Endpoint: "127.0.0.1:9000", Insecure: true}, "http://127.0.0.1:9000"},
	} {
		client, err := c.place.Client()
		if err != nil || client.EndpointURL().String() != c.want {
			t.Errorf("%+v: %v, %v", c.place, client.EndpointURL(), err)
		}
	}
	if _, err := (Place{Endpoint: "no host"}).Client(); err == nil {
		t.Error("an endpoint with a space is taken")
	}
}
