// Command receiver takes webhooks with net/http and verifies them before it looks at them.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

// Tidings sends at most 256 KB.
const bodyBytesMax = 1 << 20

type event struct {
	ID   string          `json:"id"`
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// --- the important part: the bytes first, then the signature, then the JSON
func webhooks(verify verifier) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if err := verify(body, r.Header); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var e event
		if err := json.Unmarshal(body, &e); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		handle(e)
		w.WriteHeader(http.StatusNoContent)
	}
}

// ---

// handle is your work. At least once means: an id seen before is done already. Queue what takes seconds.
func handle(e event) {
	log.Printf("verified %s %s", e.Type, e.ID)
}

func main() {
	verify, err := newVerifier()
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhooks", webhooks(verify))
	server := &http.Server{
		Addr:              net.JoinHostPort(getenv("HOST", "127.0.0.1"), getenv("PORT", "8443")),
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
	}
	log.Fatal(server.ListenAndServeTLS(os.Getenv("TLS_CERT_FILE"), os.Getenv("TLS_KEY_FILE")))
}

func newVerifier() (verifier, error) {
	if os.Getenv("SCHEME") == "jwt" {
		return newJWTVerifier(context.Background(), os.Getenv("JWKS_URL"), os.Getenv("ISSUER"), os.Getenv("AUDIENCE"))
	}
	return newHMACVerifier(os.Getenv("WEBHOOK_SECRET"))
}

func getenv(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
