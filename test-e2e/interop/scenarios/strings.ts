// Strings: every command of the family, every option, and what each answers to mistakes.

import { scenario } from "./define.js";

export const strings = [
  scenario(
    "SET and GET",
    String.raw`
    SET k v
    GET k
    GET missing
    SET k ""
    GET k
    SET k "a\x00b\xffc\r\n"
    GET k
    set k v2
    SeT k v3
    SET k
    SET
    GET
    GET a b
    SET k v NX
    SET k2 v NX
    SET missing v XX
    SET k v4 XX
    SET k v5 GET
    SET none v GET
    SET k v NX GET
    SET none2 v NX GET
    GET none2
    SET none3 v XX GET
    SET k v NX XX
    SET k v bogus
    SET k v EX
    SET k v EX abc
    SET k v EX 0
    SET k v EX -1
    SET k v PX 0
    SET k v EX 9223372036854775807
    SET k v PX 9223372036854775807
    SET k v EXAT 9223372036854775807
    SET k v PXAT 9223372036854775807
    SET k v EXAT 0
    SET k v PXAT -5
    SET k v EX 9223372036854775808
    SET k v EX 10 PX 10
    SET k v EX 10 KEEPTTL
    SET k v KEEPTTL EX 10
    SET k v EX 10 EX 20
    SET k v KEEPTTL KEEPTTL
    SET k v GET GET
    SET k v NX NX
    SET k v PERSIST
    SET k v EX 1.5
    SET k v EX " 1"
    SET k v ex 100 nx
    SET k v ex 100 xx get
    ~near TTL k
    SET k w KEEPTTL
    ~near TTL k
    SET k w
    TTL k
    SET k v PX 100000
    ~near PTTL k
    SET k v PXAT 1
    GET k
    EXISTS k
    SET k v EXAT 1
    GET k
    SET k v EXAT 99999999999
    EXPIRETIME k
    SET k v PXAT 99999999999123
    PEXPIRETIME k
    SET <k*300> <v*70000>
    GET <k*300>
    STRLEN <k*300>
    RPUSH list a
    GET list
    SET list v GET
    SET list v NX
    SET list v XX GET
    TYPE list
    SET list v
    TYPE list
  `,
  ),
  scenario(
    "SETNX SETEX PSETEX GETSET GETDEL",
    String.raw`
    SETNX k v
    SETNX k w
    GET k
    SETNX k
    SETEX k 100 v
    ~near TTL k
    SETEX k 0 v
    SETEX k -1 v
    SETEX k abc v
    SETEX k 9223372036854775807 v
    SETEX k 9223372036854775 v
    SETEX k 100
    PSETEX k 100000 v
    ~near PTTL k
    PSETEX k 0 v
    PSETEX k -1 v
    PSETEX k abc v
    PSETEX k 9223372036854775807 v
    GETSET k new
    TTL k
    GETSET none v
    GETSET k
    GETDEL k
    GETDEL k
    GETDEL
    RPUSH list a
    GETSET list v
    GETDEL list
    SETNX list v
    SETEX list 10 v
    TYPE list
  `,
  ),
  scenario(
    "GETEX",
    String.raw`
    SET k v
    GETEX k
    GETEX missing
    GETEX missing EX 10
    GETEX k EX 100
    ~near TTL k
    GETEX k PERSIST
    TTL k
    GETEX k PX 100000
    ~near PTTL k
    GETEX k EXAT 99999999999
    EXPIRETIME k
    GETEX k PXAT 99999999999123
    PEXPIRETIME k
    GETEX k EX 0
    GETEX k EX -1
    GETEX k EX abc
    GETEX k EX
    GETEX k NX
    GETEX k KEEPTTL
    GETEX k GET
    GETEX k PERSIST EX 10
    GETEX k EX 10 PERSIST
    GETEX k EX 10 PX 10
    GETEX k bogus
    GETEX
    GETEX missing EX abc
    GETEX k PXAT 1
    EXISTS k
    RPUSH list a
    GETEX list
    GETEX list EX 0
  `,
  ),
  scenario(
    "ranges: GETRANGE SUBSTR SETRANGE STRLEN APPEND",
    String.raw`
    SET k "Hello World"
    GETRANGE k 0 3
    GETRANGE k 0 -1
    GETRANGE k -3 -1
    GETRANGE k 5 3
    GETRANGE k -1 -5
    GETRANGE k 5 30000
    GETRANGE k -5000 10000
    GETRANGE k -100 -90
    GETRANGE k -100 -100
    GETRANGE k 11 20
    GETRANGE k 10 20
    GETRANGE k 0 0
    GETRANGE k 0 9223372036854775807
    GETRANGE k -9223372036854775808 -1
    GETRANGE k 0 9223372036854775808
    GETRANGE k a 1
    GETRANGE k 0 b
    GETRANGE k 0
    GETRANGE missing 0 -1
    SUBSTR k 0 4
    SUBSTR k 0
    STRLEN k
    STRLEN missing
    STRLEN
    SETRANGE k 6 Redis
    GET k
    SETRANGE k 20 x
    GET k
    SETRANGE new 5 abc
    GET new
    SETRANGE empty 5 ""
    EXISTS empty
    SETRANGE k 0 ""
    SETRANGE k -1 x
    SETRANGE k abc x
    SETRANGE k 536870912 x
    SETRANGE k 536870911 xx
    SETRANGE k 9223372036854775807 x
    SETRANGE missing 536870912 x
    SETRANGE missing 536870912 ""
    SETRANGE k 1
    APPEND k tail
    GET k
    APPEND fresh abc
    APPEND fresh ""
    GET fresh
    APPEND fresh
    SET n 123
    APPEND n 4
    INCR n
    SETRANGE n 0 9
    GET n
    GETRANGE n 1 2
    STRLEN n
    RPUSH list a
    GETRANGE list 0 -1
    SETRANGE list 0 x
    STRLEN list
    APPEND list x
    SETRANGE list -1 x
    SETRANGE list 0 ""
    SET e v EX 100
    APPEND e w
    SETRANGE e 0 x
    ~near TTL e
  `,
  ),
  scenario(
    "integers: INCR DECR INCRBY DECRBY",
    String.raw`
    INCR n
    INCR n
    DECR n
    INCRBY n 100
    DECRBY n 50
    INCRBY n -7
    DECRBY n -7
    INCRBY n 0
    GET n
    SET n 9223372036854775807
    INCR n
    INCRBY n 1
    DECR n
    INCRBY n 2
    SET n -9223372036854775808
    DECR n
    DECRBY n 1
    INCRBY n -1
    DECRBY n -9223372036854775808
    DECRBY z -9223372036854775808
    SET n 9007199254740992
    INCR n
    INCRBY n 9007199254740993
    DECRBY n 3
    GET n
    INCRBY n abc
    INCRBY n 1.5
    INCRBY n ""
    INCRBY n " 1"
    INCRBY n "1 "
    INCRBY n +1
    INCRBY n 01
    INCRBY n -0
    INCRBY n 9223372036854775808
    INCRBY n
    INCR
    INCR a b
    SET s abc
    INCR s
    SET s ""
    INCR s
    SET s " 1"
    INCR s
    SET s "1 "
    INCR s
    SET s 01
    INCR s
    SET s -0
    INCR s
    SET s 1.0
    INCR s
    SET s "1\x00"
    INCR s
    SET s 9223372036854775808
    INCR s
    SET s -1
    INCR s
    GET s
    SET s -5
    DECR s
    RPUSH list a
    INCR list
    DECRBY list 1
    INCRBY list abc
    SET e 1 EX 100
    INCR e
    ~near TTL e
    OBJECT ENCODING e
  `,
  ),
  scenario(
    "INCRBYFLOAT",
    String.raw`
    SET f 10.50
    INCRBYFLOAT f 0.1
    INCRBYFLOAT f -5
    SET f 5.0e3
    INCRBYFLOAT f 2.0e2
    INCRBYFLOAT new 1
    INCRBYFLOAT new 1.5
    INCRBYFLOAT new -2.5
    GET new
    SET f 3
    INCRBYFLOAT f 1.1
    INCRBYFLOAT f 1.1
    INCRBYFLOAT f 1.1
    SET f 0.1
    INCRBYFLOAT f 0.2
    SET f 1
    INCRBYFLOAT f 1e-17
    INCRBYFLOAT f 0.00000000000000001
    SET f 17179869184
    INCRBYFLOAT f 1.5
    INCRBYFLOAT f 1e17
    INCRBYFLOAT f 1e20
    SET f 1e300
    INCRBYFLOAT f 1
    SET f 123456789012345678
    INCRBYFLOAT f 0.1
    SET f 9223372036854775807
    INCRBYFLOAT f 1
    SET f 0.0000001
    INCRBYFLOAT f 0.0000001
    SET f -0
    INCRBYFLOAT f 0
    SET f 1
    INCRBYFLOAT f abc
    INCRBYFLOAT f ""
    INCRBYFLOAT f " 1"
    INCRBYFLOAT f "1 "
    INCRBYFLOAT f nan
    INCRBYFLOAT f inf
    INCRBYFLOAT f +inf
    INCRBYFLOAT f -inf
    INCRBYFLOAT f infinity
    INCRBYFLOAT f 1e5000
    INCRBYFLOAT f 0x10
    INCRBYFLOAT f +1
    INCRBYFLOAT f .5
    INCRBYFLOAT f 5.
    INCRBYFLOAT f 1e
    INCRBYFLOAT f --1
    INCRBYFLOAT f
    SET s abc
    INCRBYFLOAT s 1
    SET s "1\x00"
    INCRBYFLOAT s 1
    SET s " 1"
    INCRBYFLOAT s 1
    RPUSH list a
    INCRBYFLOAT list 1
    SET e 1 EX 100
    INCRBYFLOAT e 1.5
    ~near TTL e
    SET f 1.7976931348623157e308
    INCRBYFLOAT f 1.7976931348623157e308
    SET f 3.0
    INCRBYFLOAT f 1.000000000000000005
    INCRBYFLOAT f 200
  `,
  ),
  scenario(
    "MSET MSETNX MGET",
    String.raw`
    MSET a 1 b 2 c 3
    MGET a b c d
    MSET a
    MSET
    MSET a 1 b
    MSETNX a 1 d 4
    MGET a d
    MSETNX d 4 e 5
    MGET d e
    MSETNX
    MSETNX a
    MSETNX x 1 y
    MSETNX p 1 p 2
    GET p
    MSET p 1 p 3
    GET p
    MGET
    RPUSH list v
    MGET a list b
    MSET list v
    TYPE list
    MSET "" empty
    MGET ""
    SET e v EX 100
    MSET e w
    TTL e
    MGET a a a
  `,
  ),
  scenario(
    "LCS",
    String.raw`
    MSET k1 ohmytext k2 mynewtext
    LCS k1 k2
    LCS k1 k2 LEN
    LCS k1 k2 IDX
    LCS k1 k2 IDX MINMATCHLEN 4
    LCS k1 k2 IDX MINMATCHLEN 4 WITHMATCHLEN
    LCS k1 k2 IDX WITHMATCHLEN
    LCS k1 k2 LEN IDX
    LCS k1 k2 MINMATCHLEN 2
    LCS k1 k2 MINMATCHLEN abc
    LCS k1 k2 MINMATCHLEN -1 IDX
    LCS k1 k2 MINMATCHLEN
    LCS k1 k2 bogus
    LCS k1 missing
    LCS missing missing2 LEN
    LCS missing k1 IDX
    LCS k1
    LCS
    RPUSH list a
    LCS list k1
    LCS k1 list
    MSET n1 12345 n2 1345
    LCS n1 n2
    LCS n1 n1
    MSET a <ab*40> b <ba*35>
    LCS a b
    LCS a b LEN
    LCS a b IDX WITHMATCHLEN
    MSET x rnaseqfoobar y rnaabcfoozzzbar
    LCS x y IDX
  `,
  ),
];
