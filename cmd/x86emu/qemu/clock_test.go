package qemu

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The host's time is shown as it is in UTC, or as its clocks show it.
func TestRTCBase(t *testing.T) {
	defer func(l *time.Location) { time.Local = l }(time.Local)
	time.Local = time.FixedZone("east", 3600)
	now := time.Date(2026, 5, 1, 23, 30, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"utc": "2026-05-01T23:30:00Z", "localtime": "2026-05-02T00:30:00Z", "1999-12-31T23:59:59": "1999-12-31T23:59:59Z", "2038-01-19": "2038-01-19T00:00:00Z",
	} {
		got, err := rtcBase(text, now)
		require.NoError(t, err)
		assert.Equal(t, want, got.Format(time.RFC3339))
	}
}
