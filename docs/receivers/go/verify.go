package main

// The part to copy: everything that decides whether a request is a webhook of yours.

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"golang.org/x/time/rate"
)

const tolerance = 5 * time.Minute

// verifier takes the body's bytes and the headers; its error is nil only if the request is genuine.
type verifier func(body []byte, header http.Header) error

// newHMACVerifier is for the scheme hmac: the official Standard Webhooks library. It compares in constant time and
// refuses timestamps older or newer than five minutes. While a secret is rotated, requests carry a signature for
// each: keep either one.
func newHMACVerifier(secret string) (verifier, error) {
	// The library takes an empty key, with which anybody could sign.
	if strings.TrimPrefix(secret, "whsec_") == "" {
		return nil, errors.New("the secret is empty")
	}
	webhook, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return nil, err
	}
	return webhook.Verify, nil
}

type webhookClaims struct {
	jwt.RegisteredClaims
	WebhookID  string `json:"webhook_id"`
	BodySHA256 string `json:"body_sha256"`
}

// newJWTVerifier is for the scheme jwt: a token in webhook-jwt, signed with a key whose public half stands at jwksURL.
func newJWTVerifier(ctx context.Context, jwksURL, issuer, audience string) (verifier, error) {
	// Fetched every hour, and for an unknown kid, but at most every 30 seconds and without making the caller wait.
	keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{jwksURL}, keyfunc.Override{
		HTTPTimeout:       5 * time.Second,
		RefreshUnknownKID: rate.NewLimiter(rate.Every(30*time.Second), 1),
		RateLimitWaitMax:  time.Second,
	})
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"ES256"}), // never what the token itself asks for
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience), // your endpoint's id: a token for another endpoint is worth nothing here
		jwt.WithExpirationRequired(),
	)
	return func(body []byte, header http.Header) error {
		var claims webhookClaims
		token, err := parser.ParseWithClaims(header.Get("webhook-jwt"), &claims, keys.Keyfunc)
		if err != nil {
			return err
		}
		return compare(token, &claims, body, header)
	}, nil
}

// compare does what a JWT library cannot, since it does not know the request. No secret is in it.
func compare(token *jwt.Token, claims *webhookClaims, body []byte, header http.Header) error {
	if token.Header["typ"] != "webhook+jwt" {
		return errors.New("a token for something else")
	}
	hash := sha256.Sum256(body)
	if claims.BodySHA256 != base64.RawURLEncoding.EncodeToString(hash[:]) {
		return errors.New("the body is not the one that was signed")
	}
	if claims.WebhookID == "" || claims.WebhookID != header.Get("webhook-id") {
		return errors.New("another webhook-id was signed")
	}
	if claims.IssuedAt == nil || strconv.FormatInt(claims.IssuedAt.Unix(), 10) != header.Get("webhook-timestamp") {
		return errors.New("another time was signed")
	}
	if age := time.Since(claims.IssuedAt.Time); age > tolerance || age < -tolerance {
		return errors.New("too old, or too new")
	}
	return nil
}
