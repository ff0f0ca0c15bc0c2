// Package s3 says where buckets are and opens them.
package s3

import (
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Scheme begins what names a bucket or an object: s3://bucket/key.
const Scheme = "s3://"

// Place is where buckets are.
type Place struct {
	Endpoint string // host[:port]; "": Amazon's
	Region   string // "": the server says
	Insecure bool   // http, for a server on this host
}

// Client uses the credentials of the usual places: the environment,
// AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials, the instance's or the pod's
// role. It is safe for concurrent use.
func (p Place) Client() (*minio.Client, error) {
	endpoint := p.Endpoint
	if endpoint == "" {
		endpoint = "s3.amazonaws.com"
	}
	return minio.New(endpoint, &minio.Options{
		Creds:  credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{}}),
		Secure: !p.Insecure,
		Region: p.Region,
	})
}

// Split takes s3://bucket/key apart.
func Split(location string) (bucket, key string) {
	bucket, key, _ = strings.Cut(strings.TrimPrefix(location, Scheme), "/")
	return bucket, key
}
