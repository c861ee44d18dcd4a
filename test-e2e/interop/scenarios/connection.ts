// The connection itself: HELLO, AUTH, CLIENT, PING, RESET, QUIT, and what is no protocol at all.

import { scenario } from "./define.js";

export const connection = [
  scenario(
    "PING ECHO QUIT",
    String.raw`
    PING
    PING hello
    PING "a\r\nb"
    PING a b
    ping
    ECHO hello
    ECHO ""
    ECHO
    ECHO a b
    nosuch
    nosuch a b c
    nosuch <x*200> b
    nosuch "a\r\nb" "c\x00d"
    "no such" command
    nosuch a1 a2 a3 a4 a5 a6 a7 a8 a9 a10 a11 a12 a13 a14 a15 a16 a17 a18 a19 a20 a21 a22 a23 a24 a25
    "" a
    <n*200> <a*100> <b*100>
    ~fields HELLO
    RESET
    PING
    @q QUIT
    @q2 raw*close "QUIT\r\nPING\r\n"
  `,
  ),
  scenario(
    "HELLO",
    String.raw`
    ~sorted HELLO bogus
    HELLO 1
    HELLO 4
    HELLO -1
    HELLO 99999999999999999999
    ~shape HELLO 2
    ~shape HELLO 3
    GET missing
    ~shape HELLO
    HELLO 3 SETNAME
    HELLO 3 AUTH
    HELLO 3 AUTH a
    HELLO 3 bogus
    HELLO 3 SETNAME "a b"
    ~shape HELLO 3 AUTH default wrong
    HELLO 3 AUTH nobody wrong
    ~shape HELLO 3 SETNAME me
    CLIENT GETNAME
    ~shape HELLO 2 SETNAME you
    CLIENT GETNAME
    GET missing
    ~shape HELLO 3 AUTH default "" SETNAME x
  `,
    [2],
  ),
  scenario(
    "AUTH without and with a password",
    String.raw`
    AUTH
    AUTH a b c
    AUTH wrong
    AUTH default wrong
    AUTH nobody wrong
    CONFIG SET requirepass secret
    GET k
    @n GET k
    @n PING
    @n nosuch
    @n GET
    @n HELLO
    @n HELLO 3
    @n HELLO 2
    @n HELLO 3 AUTH default wrong
    @n AUTH wrong
    @n AUTH default wrong
    @n AUTH nobody secret
    @n MULTI
    @n EXEC
    @n COMMAND
    @n CLIENT ID
    @n SUBSCRIBE c
    @n RESET
    @n AUTH secret
    @n GET k
    @n RESET
    @n GET k
    @n AUTH default secret
    @n PING
    @m ~shape HELLO 3 AUTH default secret
    @m PING
    @o QUIT
    CONFIG SET requirepass ""
    @p PING
    AUTH secret
  `,
    [2],
  ),
  scenario(
    "CLIENT",
    String.raw`
    CLIENT GETNAME
    CLIENT SETNAME me
    CLIENT GETNAME
    CLIENT SETNAME ""
    CLIENT GETNAME
    CLIENT SETNAME "a b"
    CLIENT SETNAME "a\nb"
    CLIENT SETNAME
    ~shape CLIENT ID
    CLIENT ID x
    CLIENT
    CLIENT bogus
    ~shape CLIENT INFO
    ~shape CLIENT LIST
    CLIENT LIST bogus
    CLIENT LIST TYPE
    CLIENT LIST TYPE bogus
    CLIENT LIST TYPE master
    ~shape CLIENT LIST TYPE normal
    CLIENT LIST ID
    CLIENT LIST ID abc
    CLIENT LIST ID 999999
    CLIENT KILL
    CLIENT KILL 127.0.0.1:1
    CLIENT KILL ID
    CLIENT KILL ID abc
    CLIENT KILL ID 999999
    CLIENT KILL ID -1
    CLIENT KILL TYPE bogus
    CLIENT KILL TYPE pubsub
    CLIENT KILL USER nobody
    CLIENT KILL SKIPME maybe
    CLIENT KILL ADDR 1.2.3.4:5
    CLIENT KILL LADDR 1.2.3.4:5
    CLIENT KILL ID 999999 SKIPME
    CLIENT KILL bogus x
    CLIENT NO-EVICT
    CLIENT NO-EVICT on
    CLIENT NO-EVICT off
    CLIENT NO-EVICT bogus
    CLIENT PAUSE
    CLIENT PAUSE abc
    CLIENT PAUSE -1
    CLIENT PAUSE 1 bogus
    CLIENT UNPAUSE
    CLIENT UNPAUSE x
    CLIENT UNBLOCK
    CLIENT UNBLOCK 999999
    CLIENT UNBLOCK abc
    CLIENT UNBLOCK 999999 bogus
    CLIENT UNBLOCK 999999 ERROR
    CLIENT REPLY
    CLIENT REPLY bogus
    CLIENT REPLY ON
    CLIENT GETREDIR
    CLIENT TRACKINGINFO
    CLIENT TRACKING
    CLIENT TRACKING bogus
    CLIENT TRACKING off
    CLIENT CACHING
    CLIENT CACHING yes
    CLIENT CACHING bogus
    ~any CLIENT HELP
    raw "CLIENT REPLY SKIP\r\nPING\r\nECHO after\r\n"
    raw "CLIENT REPLY OFF\r\nPING\r\nECHO x\r\nCLIENT REPLY ON\r\n"
    PING
  `,
  ),
  scenario(
    "RESET",
    String.raw`
    SELECT 3
    CLIENT SETNAME x
    MULTI
    RESET
    EXEC
    CLIENT GETNAME
    SET k v
    GET k
    RESET x
    ~shape HELLO 3 AUTH default x
    RESET
    GET missing
  `,
    [2],
  ),
  scenario(
    "inline commands",
    String.raw`
    raw "PING\r\n"
    raw "PING\n"
    raw "SET k v\r\n"
    raw "GET k\r\n"
    raw "  GET   k  \r\n"
    raw "\r\nPING\r\n"
    raw "\n\nPING\r\n"
    raw "SET k \"a b\"\r\n"
    raw "GET k\r\n"
    raw "SET k 'it\\'s'\r\n"
    raw "GET k\r\n"
    raw "SET k \"\\x41\\n\\\"\"\r\n"
    raw "GET k\r\n"
    raw "SET k a\tb\r\n"
    raw*2 "PING\r\nPING\r\n"
    raw "ECHO \"\"\r\n"
    @e1 raw*close "SET k \"unbalanced\r\n"
    @e2 raw*close "SET k 'unbalanced\r\n"
    @e3 raw*close "SET k \"a\"b\r\n"
    @e4 raw*close "<x*70000>"
    raw "GET\r\n"
    raw "nosuch a\r\n"
  `,
    [2],
  ),
  scenario(
    "protocol errors",
    String.raw`
    @a1 raw*close "*a\r\n"
    @a2 raw*close "*1\r\nPING\r\n"
    @a3 raw*close "*1\r\n$a\r\nPING\r\n"
    @a4 raw*close "*1\r\n$-1\r\n"
    @a5 raw*close "*1\r\n$536870913\r\n"
    @a6 raw*close "*1048577\r\n"
    @a7 raw*close "*2147483648\r\n"
    @a8 raw*close "*1\r\n:1\r\n"
    @a9 raw*close "*1\r\n\r\n"
    @b1 raw*close "*99999999999999999999\r\n"
    @b2 raw*close "*1\r\n$99999999999999999999\r\n"
    @b3 raw*close "*1\r\n$ 4\r\nPING\r\n"
    @b4 raw*close "*1\r\n$+4\r\nPING\r\n"
    @b5 raw*close "*1\r\n$04\r\nPING\r\n"
    @b6 raw*close "*<1*70000>"
    @b7 raw*close "*1\r\n$<1*70000>"
    @c1 raw "*0\r\nPING\r\n"
    @c2 raw "*-1\r\nPING\r\n"
    @c3 raw "*-10\r\nPING\r\n"
    @c4 raw "*1\r\n$4\r\nPINGxxPING\r\n"
    @c5 raw "*1\r\n$4\r\nPING\r\n\r\n*1\r\n$4\r\nPING\r\n"
    @c6 raw "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n"
    @c7 raw*2 "*1\r\n$4\r\nPING\r\nPING\r\n"
    @d1 raw*close "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    @d2 raw*close "POST / HTTP/1.1\r\n\r\n"
    @d3 raw "Hosts: x\r\n"
  `,
    [2],
  ),
  scenario(
    "limits before login",
    String.raw`
    CONFIG SET requirepass secret
    @n raw*close "*11\r\n"
    @m raw*close "*1\r\n$16385\r\n"
    @o raw "*10\r\n<$1\r\nx\r\n*10>"
    CONFIG SET requirepass ""
  `,
    [2],
  ),
  scenario(
    "pushes and RESP3 types",
    String.raw`
    DEBUG PROTOCOL string
    DEBUG PROTOCOL integer
    DEBUG PROTOCOL double
    DEBUG PROTOCOL null
    DEBUG PROTOCOL array
    DEBUG PROTOCOL set
    DEBUG PROTOCOL map
    DEBUG PROTOCOL attrib
    DEBUG PROTOCOL verbatim
    DEBUG PROTOCOL true
    DEBUG PROTOCOL false
    DEBUG PROTOCOL bignum
    DEBUG PROTOCOL bogus
    DEBUG PROTOCOL
  `,
  ),
];
