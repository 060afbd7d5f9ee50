package etf

import "testing"

func TestSnakeCase(t *testing.T) {
	for name, want := range map[string]string{
		"ID": "id", "UserID": "user_id", "UserIDs": "user_ids", "HTTPServer": "http_server", "Name2": "name2",
		"X509Cert": "x509_cert", "A": "a", "APIKeyV2": "api_key_v2", "Already_Snake": "already_snake",
		"ÉtéChaud": "été_chaud", "IDsByName": "ids_by_name", "Is": "is", "DBs": "dbs", "SHA256Sum": "sha256_sum",
	} {
		if got := snakeCase(name); got != want {
			t.Errorf("snakeCase(%s) = %s, want %s", name, got, want)
		}
	}
}
