// The server about itself: CONFIG, COMMAND, TIME, DEBUG, and what is asked for rarely.

import { scenario } from "./define.js";

export const server = [
  scenario(
    "CONFIG",
    String.raw`
    CONFIG GET maxmemory
    CONFIG GET MAXMEMORY
    ~sorted CONFIG GET maxmemory-*
    ~sorted CONFIG GET maxmemory timeout
    CONFIG GET nosuch
    CONFIG GET
    CONFIG
    CONFIG bogus
    ~any CONFIG HELP
    CONFIG SET
    CONFIG SET timeout
    CONFIG SET nosuch 1
    CONFIG SET timeout 5
    CONFIG GET timeout
    CONFIG SET timeout abc
    CONFIG SET timeout -1
    CONFIG SET timeout 0
    CONFIG SET port abc
    CONFIG SET databases 3
    CONFIG SET maxmemory 100mb
    CONFIG GET maxmemory
    CONFIG SET maxmemory 1gB
    CONFIG GET maxmemory
    CONFIG SET maxmemory abc
    CONFIG SET maxmemory -1
    CONFIG SET maxmemory 0
    CONFIG SET maxmemory-policy bogus
    CONFIG SET maxmemory-policy allkeys-lru
    CONFIG GET maxmemory-policy
    CONFIG SET maxmemory-policy noeviction
    CONFIG SET appendfsync bogus
    CONFIG SET hash-max-listpack-entries 100 timeout abc
    CONFIG GET hash-max-listpack-entries
    CONFIG SET hash-max-listpack-entries 128
    CONFIG SET timeout 1 timeout 2
    CONFIG SET timeout 0
    CONFIG SET save ""
    CONFIG GET save
    CONFIG SET save "100 1 200 2"
    CONFIG GET save
    CONFIG SET save "100"
    CONFIG SET save "a b"
    CONFIG SET save ""
    CONFIG SET notify-keyspace-events KEA
    CONFIG GET notify-keyspace-events
    CONFIG SET notify-keyspace-events bogus
    CONFIG SET notify-keyspace-events ""
    CONFIG SET slave-read-only yes
    CONFIG GET slave-read-only
    CONFIG GET replica-read-only
    CONFIG RESETSTAT
    CONFIG RESETSTAT x
    CONFIG REWRITE
  `,
  ),
  scenario(
    "COMMAND",
    String.raw`
    COMMAND bogus
    COMMAND COUNT x
    COMMAND INFO nosuch
    COMMAND INFO get
    COMMAND INFO set
    COMMAND INFO mget mset del
    COMMAND INFO get nosuch set
    COMMAND INFO ping
    COMMAND INFO multi exec
    COMMAND INFO expire
    COMMAND INFO GET
    COMMAND GETKEYS
    COMMAND GETKEYS get
    COMMAND GETKEYS get k
    COMMAND GETKEYS get a b
    COMMAND GETKEYS mset a 1 b 2
    COMMAND GETKEYS mset a 1 b
    COMMAND GETKEYS mget a b c
    COMMAND GETKEYS del a b
    COMMAND GETKEYS rename a b
    COMMAND GETKEYS ping
    COMMAND GETKEYS nosuch a
    COMMAND GETKEYS set k v EX 10
    COMMAND GETKEYS copy a b
    COMMAND GETKEYS lcs a b
    COMMAND GETKEYS object encoding k
    COMMAND GETKEYSANDFLAGS
    COMMAND GETKEYSANDFLAGS get k
    COMMAND GETKEYSANDFLAGS set k v
    COMMAND GETKEYSANDFLAGS set k v GET
    COMMAND GETKEYSANDFLAGS mset a 1 b 2
    COMMAND GETKEYSANDFLAGS rename a b
    COMMAND GETKEYSANDFLAGS copy a b
    COMMAND GETKEYSANDFLAGS ping
    COMMAND LIST FILTERBY
    COMMAND LIST FILTERBY bogus x
    COMMAND LIST FILTERBY PATTERN xy*
    ~sorted COMMAND LIST FILTERBY PATTERN incr*
    ~sorted COMMAND LIST FILTERBY PATTERN config|*
    COMMAND LIST FILTERBY ACLCAT bogus
    COMMAND LIST FILTERBY MODULE bogus
    COMMAND DOCS nosuch
    ~sorted COMMAND DOCS get
    ~sorted COMMAND DOCS set
    ~sorted COMMAND DOCS incr decr
    ~any COMMAND HELP
  `,
  ),
  scenario(
    "TIME DEBUG LOLWUT and others",
    String.raw`
    ~shape TIME
    TIME x
    DEBUG
    DEBUG bogus
    DEBUG SET-ACTIVE-EXPIRE 1
    DEBUG SLEEP 0
    DEBUG SLEEP
    DEBUG ERROR "LOUD an error"
    DEBUG OBJECT missing
    ~any LOLWUT
    LASTSAVE x
    ~shape LASTSAVE
    ~shape ROLE
    ROLE x
    READONLY
    READWRITE
    ASKING
    READONLY x
    CLUSTER INFO
    CLUSTER MYID
    CLUSTER KEYSLOT k
    CLUSTER
    SHUTDOWN bogus
    SHUTDOWN SAVE NOSAVE
    SHUTDOWN ABORT
    SHUTDOWN NOW ABORT
    REPLICAOF
    REPLICAOF a
    REPLICAOF NO ONE
    SLAVEOF no one
    REPLICAOF host abc
    WAIT 0 0
    WAIT abc 0
    WAIT 0 abc
    WAIT 0 -1
    WAIT 0
    INFO nosuch
    SLOWLOG GET abc
    SLOWLOG bogus
    SLOWLOG LEN x
    SLOWLOG RESET
    SLOWLOG LEN
    SLOWLOG GET
    SLOWLOG GET -2
    SLOWLOG GET 1 2
    MEMORY bogus
    MEMORY USAGE missing
    MEMORY USAGE
    MEMORY USAGE k SAMPLES
    LATENCY RESET
    LATENCY LATEST
    LATENCY HISTORY nosuch
    LATENCY bogus
    ACL WHOAMI
    MONITOR x
    SYNC x
    PSYNC
    REPLCONF
    REPLCONF a
    REPLCONF bogus 1
    BGREWRITEAOF x
    BGSAVE x
    SAVE x
    FAILOVER bogus
    FAILOVER ABORT
  `,
  ),
  scenario(
    "PUBSUB in passing",
    String.raw`
    PUBLISH c m
    PUBLISH c
    PUBSUB CHANNELS
    PUBSUB NUMSUB c
    PUBSUB NUMPAT
    PUBSUB bogus
    @s SUBSCRIBE c
    @s GET k
    @s nosuch
    @s PING
    @s PING x
    @s SUBSCRIBE
    PUBLISH c hello
    @s read
    PUBSUB CHANNELS
    PUBSUB NUMSUB c d
    @s PSUBSCRIBE c*
    PUBLISH c hi
    @s read
    @s read
    PUBSUB NUMPAT
    @s UNSUBSCRIBE c
    @s PUNSUBSCRIBE
    @s PING
    @s UNSUBSCRIBE
    @s GET k
  `,
    [2],
  ),
];
