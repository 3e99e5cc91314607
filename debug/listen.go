package debug

import (
	"fmt"
	"net"
	"strings"
)

// Listen opens the TCP port that an address names: HOST:PORT, or :PORT and PORT
// on the loopback interface. Whoever can connect to a debugger controls the guest,
// so that other interfaces have to be named: 0.0.0.0:1234. The error says what
// would be right, with an example.
func Listen(address, example string) (net.Listener, error) {
	a := address
	if !strings.Contains(a, ":") {
		a = ":" + a
	}
	host, port, err := net.SplitHostPort(a)
	if err != nil || port == "" {
		return nil, fmt.Errorf("%q: must be HOST:PORT, or a PORT of this host, such as %s", address, example)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("%q: %w", address, err)
	}
	return l, nil
}
