"""IPP (RFC 8010, RFC 8011): the encoding, and a client that streams documents."""
