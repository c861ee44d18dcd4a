// The router's public face. The router itself is planned and not there yet.
export {};
