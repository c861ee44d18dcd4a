// Keys of any type: life, names, expiry, iteration, databases.

import { scenario } from "./define.js";

export const keys = [
  scenario(
    "DEL UNLINK EXISTS TYPE TOUCH",
    String.raw`
    MSET a 1 b 2 c 3
    EXISTS a
    EXISTS a a b missing
    EXISTS
    TYPE a
    TYPE missing
    TYPE
    TYPE a b
    TOUCH a b missing
    TOUCH
    DEL a missing b
    DEL a
    DEL
    DEL c c
    MSET a 1 b 2
    UNLINK a b b
    UNLINK
    RPUSH list 1
    TYPE list
    HSET hash f v
    TYPE hash
    SADD set m
    TYPE set
    ZADD zset 1 m
    TYPE zset
    DBSIZE
    DBSIZE x
    DEL list hash set zset
    DBSIZE
  `,
  ),
  scenario(
    "EXPIRE and its kin",
    String.raw`
    SET k v
    EXPIRE k 100
    ~near TTL k
    ~near PTTL k
    ~near EXPIRETIME k
    ~near PEXPIRETIME k
    PERSIST k
    PERSIST k
    TTL k
    PTTL k
    EXPIRETIME k
    PEXPIRETIME k
    TTL missing
    PTTL missing
    EXPIRETIME missing
    PEXPIRETIME missing
    PERSIST missing
    EXPIRE missing 100
    PEXPIRE k 100000
    ~near PTTL k
    EXPIREAT k 99999999999
    EXPIRETIME k
    PEXPIREAT k 99999999999123
    PEXPIRETIME k
    EXPIRE k abc
    EXPIRE k
    EXPIRE k 1.5
    EXPIRE k 9223372036854775807
    EXPIRE k 9223372036854775808
    EXPIRE k -9223372036854775808
    PEXPIRE k 9223372036854775807
    PEXPIRE k -9223372036854775808
    EXPIREAT k 9223372036854775807
    EXPIREAT k -9223372036854775808
    PEXPIREAT k 9223372036854775807
    EXISTS k
    PEXPIREAT k 99999999999123
    EXPIRE k 100 NX
    EXPIRE k 100 XX
    ~near TTL k
    EXPIRE k 50 GT
    EXPIRE k 200 GT
    EXPIRE k 300 LT
    EXPIRE k 150 LT
    ~near TTL k
    PERSIST k
    EXPIRE k 100 XX
    EXPIRE k 100 GT
    EXPIRE k 100 NX
    PERSIST k
    EXPIRE k 100 LT
    EXPIRE k 100 NX XX
    EXPIRE k 100 NX GT
    EXPIRE k 100 NX LT
    EXPIRE k 100 GT LT
    EXPIRE k 100 XX GT
    EXPIRE k 90 XX LT
    EXPIRE k 100 bogus
    EXPIRE k 100 NX bogus
    EXPIRE k abc bogus
    PEXPIRE k 100000 XX
    EXPIREAT k 99999999999 GT
    PEXPIREAT k 1 GT
    EXPIRE k 0
    EXISTS k
    SET k v
    EXPIRE k -1
    GET k
    SET k v
    EXPIREAT k 1
    GET k
    SET k v
    PEXPIREAT k 0
    GET k
    SET k v
    PEXPIRE k -5 NX
    GET k
    TTL
    TTL a b
    PERSIST
    SET k v EX 100
    SET k w
    TTL k
    SET k v EX 100
    RPUSH l a
    EXPIRE l 100
    RPUSH l b
    ~near TTL l
  `,
  ),
  scenario(
    "RENAME RENAMENX COPY MOVE",
    String.raw`
    SET a 1
    RENAME a b
    GET a
    GET b
    RENAME missing x
    RENAME b b
    RENAMENX b b
    RENAME missing missing
    RENAMENX missing missing
    RENAME a
    SET c 3 EX 100
    RENAME c b
    ~near TTL b
    GET b
    SET d 4
    RENAMENX b d
    RENAMENX d e
    RENAMENX missing q
    RENAMENX d
    COPY b copy
    GET copy
    ~near TTL copy
    COPY b copy
    COPY b copy REPLACE
    COPY missing x
    COPY b b
    COPY b b DB 0
    COPY b b DB 1
    COPY b other DB 1
    COPY b other DB 1
    COPY b other DB 1 REPLACE
    COPY b x DB 16
    COPY b x DB -1
    COPY b x DB abc
    COPY b x DB
    COPY b x bogus
    COPY b
    MOVE b 1
    MOVE e 1
    MOVE e 1
    SELECT 1
    GET e
    GET b
    MOVE e 1
    MOVE e 16
    MOVE e -1
    MOVE e abc
    MOVE e
    MOVE missing 0
    ~sorted KEYS *
    SELECT 0
    ~sorted KEYS *
    RPUSH list a b c
    COPY list list2
    LRANGE list2 0 -1
    HSET h f v
    COPY h h2
    HGETALL h2
  `,
  ),
  scenario(
    "KEYS SCAN RANDOMKEY",
    String.raw`
    KEYS *
    RANDOMKEY
    SCAN 0
    MSET one 1 two 2 three 3 four 4 hallo h hello h hxllo h hllo h heeeello h "a*b" x "a[b" y
    ~sorted KEYS *
    ~sorted KEYS *o*
    ~sorted KEYS t??
    ~sorted KEYS h?llo
    ~sorted KEYS h*llo
    ~sorted KEYS h[ae]llo
    ~sorted KEYS h[^e]llo
    ~sorted KEYS h[a-b]llo
    ~sorted KEYS h[b-a]llo
    ~sorted KEYS a\\*b
    ~sorted KEYS a\*b
    ~sorted KEYS a\\[b
    ~sorted KEYS "a[[]b"
    ~sorted KEYS "h[ae"
    ~sorted KEYS "h["
    ~sorted KEYS ""
    ~sorted KEYS **
    KEYS
    KEYS a b
    ~shape RANDOMKEY
    RANDOMKEY x
    ~sorted SCAN 0 COUNT 1000
    ~sorted SCAN 0 COUNT 1000 MATCH t*
    ~sorted SCAN 0 MATCH t* COUNT 1000 TYPE string
    ~sorted SCAN 0 COUNT 1000 TYPE list
    ~sorted SCAN 0 COUNT 1000 TYPE STRING
    SCAN
    SCAN abc
    ~any SCAN -1
    SCAN 0 COUNT 0
    SCAN 0 COUNT -1
    SCAN 0 COUNT abc
    SCAN 0 COUNT
    SCAN 0 MATCH
    SCAN 0 bogus
    SCAN 0 bogus x
    SCAN 18446744073709551616
    SCAN 0 TYPE
    ~any SCAN 18446744073709551615
    FLUSHALL
    MSET e1 v e2 v
    PEXPIREAT e1 1
    KEYS *
    SCAN 0
    DBSIZE
    RANDOMKEY
  `,
  ),
  scenario(
    "databases: SELECT SWAPDB FLUSHDB FLUSHALL DBSIZE",
    String.raw`
    SET k zero
    SELECT 1
    GET k
    SET k one
    SELECT 15
    SELECT 16
    SELECT -1
    SELECT abc
    SELECT
    SELECT 1 2
    SELECT 99999999999999999999
    SELECT 0
    SWAPDB 0 1
    GET k
    SWAPDB 0 0
    SWAPDB 0 16
    SWAPDB 0 -1
    SWAPDB a 1
    SWAPDB 0 b
    SWAPDB 0
    SELECT 1
    GET k
    SELECT 0
    DBSIZE
    FLUSHDB bogus
    FLUSHDB ASYNC
    FLUSHDB SYNC ASYNC
    DBSIZE
    SELECT 1
    DBSIZE
    FLUSHDB SYNC
    SET k v
    FLUSHALL bogus
    FLUSHALL ASYNC
    FLUSHALL SYNC
    FLUSHALL
    DBSIZE
  `,
  ),
  scenario(
    "OBJECT",
    String.raw`
    SET int 123
    OBJECT ENCODING int
    SET short abc
    OBJECT ENCODING short
    SET s44 <x*44>
    OBJECT ENCODING s44
    SET s45 <x*45>
    OBJECT ENCODING s45
    APPEND short d
    OBJECT ENCODING short
    SET big 9223372036854775807
    OBJECT ENCODING big
    SET over 9223372036854775808
    OBJECT ENCODING over
    SET lead 0123
    OBJECT ENCODING lead
    SET neg -5
    OBJECT ENCODING neg
    SET empty ""
    OBJECT ENCODING empty
    INCR int
    OBJECT ENCODING int
    APPEND int 5
    OBJECT ENCODING int
    SET f 1.5
    INCRBYFLOAT f 1
    OBJECT ENCODING f
    SETRANGE r 0 abc
    OBJECT ENCODING r
    OBJECT ENCODING missing
    OBJECT REFCOUNT missing
    OBJECT IDLETIME missing
    OBJECT FREQ missing
    OBJECT REFCOUNT short
    ~near OBJECT IDLETIME short
    OBJECT FREQ short
    OBJECT
    OBJECT bogus
    OBJECT bogus k
    OBJECT ENCODING
    OBJECT ENCODING a b
    OBJECT HELP
    OBJECT help
    RPUSH list a
    ~any OBJECT ENCODING list
    SADD ints 1 2 3
    OBJECT ENCODING ints
    HSET h f v
    OBJECT ENCODING h
    ZADD z 1 a
    OBJECT ENCODING z
  `,
  ),
];
