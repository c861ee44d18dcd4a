// Cluster mode, in a cluster of two primaries: the first owns slots 0-8191, the second 8192-12287,
// nobody the rest. Key `b` (slot 3300) is the first's, `x` (16287) nobody's, `foo` (12182) the
// second's. Node ids and ports are replaced by names before replies are compared.

import { scenario } from "./define.js";

/** Slots below this are assigned. */
export const assignedSlots = 12_288;

const clusterOnly: readonly [string, string][] = [
  [
    "redirections and refusals",
    String.raw`
    SET b 1
    GET b
    GET foo
    SET foo v
    GET x
    SET x v
    MGET b {b}2
    MGET b foo
    MSET b 1 {b}2 2
    MSET b 1 foo 2
    MSETNX b 1 x 2
    DEL b foo
    DEL foo {foo}2
    EXISTS b x
    RENAME b foo
    RENAME b {b}new
    COPY {b}new foo
    COPY {b}new b
    TOUCH b foo
    UNLINK b foo
    LCS b foo
    GET {foo}b
    GET foo{}b
    GET {}foo
    GET "{b"
    GET "foo{b}{c}"
    GET "{{b}}"
    SET
    GET
    nosuch foo
    SELECT 0
    SELECT 1
    SWAPDB 0 1
    MOVE b 1
    COPY b {b}c DB 1
    COPY b {b}c DB 0
    PING
    DBSIZE
    ~sorted KEYS *
    ASKING
    GET foo
    READONLY
    GET foo
    READWRITE
    OBJECT ENCODING foo
    TTL foo
    EXPIRE foo 100
    @c MULTI
    @c GET b
    @c GET foo
    @c EXEC
    @c MULTI
    @c MGET b foo
    @c EXEC
    @c MULTI
    @c SET b 1
    @c INCR b
    @c EXEC
    @c WATCH b foo
    @c WATCH foo
    @c WATCH b
    @c UNWATCH
    FLUSHALL
  `,
  ],
  [
    "CLUSTER subcommands",
    String.raw`
    CLUSTER
    CLUSTER bogus
    CLUSTER KEYSLOT foo
    CLUSTER KEYSLOT ""
    CLUSTER KEYSLOT "{b}x"
    CLUSTER KEYSLOT "a\x00\xff"
    CLUSTER KEYSLOT
    CLUSTER KEYSLOT a b
    CLUSTER MYID
    CLUSTER MYID x
    MSET b 1 {b}2 2 {b}3 3
    CLUSTER COUNTKEYSINSLOT 3300
    CLUSTER COUNTKEYSINSLOT 0
    CLUSTER COUNTKEYSINSLOT 16384
    CLUSTER COUNTKEYSINSLOT -1
    CLUSTER COUNTKEYSINSLOT abc
    CLUSTER COUNTKEYSINSLOT
    CLUSTER COUNTKEYSINSLOT 12182
    ~sorted CLUSTER GETKEYSINSLOT 3300 10
    CLUSTER GETKEYSINSLOT 3300 0
    CLUSTER GETKEYSINSLOT 3300 -1
    CLUSTER GETKEYSINSLOT 3300 abc
    CLUSTER GETKEYSINSLOT 16384 1
    CLUSTER GETKEYSINSLOT 3300
    ~sorted CLUSTER SLOTS
    CLUSTER SLOTS x
    ~shape CLUSTER SHARDS
    ~fields CLUSTER INFO
    CLUSTER INFO x
    ~shape CLUSTER NODES
    CLUSTER ADDSLOTS
    CLUSTER ADDSLOTS 0
    CLUSTER ADDSLOTS 16384
    CLUSTER ADDSLOTS -1
    CLUSTER ADDSLOTS abc
    CLUSTER ADDSLOTS 16000 16000
    CLUSTER ADDSLOTS 9000
    CLUSTER ADDSLOTSRANGE
    CLUSTER ADDSLOTSRANGE 1
    CLUSTER ADDSLOTSRANGE 1 2 3
    CLUSTER ADDSLOTSRANGE 10 5
    CLUSTER ADDSLOTSRANGE 0 100
    CLUSTER ADDSLOTSRANGE 16380 16384
    CLUSTER ADDSLOTSRANGE a 5
    CLUSTER DELSLOTS
    CLUSTER DELSLOTS 16000
    CLUSTER DELSLOTS abc
    CLUSTER DELSLOTSRANGE 16000 16001
    CLUSTER DELSLOTSRANGE 5 1
    CLUSTER DELSLOTSRANGE 1
    CLUSTER SETSLOT
    CLUSTER SETSLOT 0
    CLUSTER SETSLOT 0 bogus
    CLUSTER SETSLOT 16384 STABLE
    CLUSTER SETSLOT 0 NODE nosuchnode
    CLUSTER SETSLOT 0 NODE
    CLUSTER SETSLOT 0 MIGRATING nosuchnode
    CLUSTER SETSLOT 0 IMPORTING nosuchnode
    CLUSTER SETSLOT 9000 MIGRATING nosuchnode
    CLUSTER SETSLOT 0 STABLE
    CLUSTER MEET
    CLUSTER MEET 127.0.0.1
    CLUSTER MEET nohost 7000
    CLUSTER MEET 127.0.0.1 0
    CLUSTER MEET 127.0.0.1 99999
    CLUSTER MEET 127.0.0.1 abc
    CLUSTER MEET 127.0.0.1 7000 abc
    CLUSTER FORGET
    CLUSTER FORGET nosuchnode
    CLUSTER REPLICATE
    CLUSTER REPLICATE nosuchnode
    CLUSTER REPLICAS nosuchnode
    CLUSTER SLAVES nosuchnode
    CLUSTER REPLICAS
    CLUSTER FAILOVER
    CLUSTER FAILOVER bogus
    CLUSTER FAILOVER FORCE
    CLUSTER FAILOVER TAKEOVER
    CLUSTER COUNT-FAILURE-REPORTS nosuchnode
    CLUSTER COUNT-FAILURE-REPORTS
    CLUSTER SET-CONFIG-EPOCH
    CLUSTER SET-CONFIG-EPOCH -1
    CLUSTER SET-CONFIG-EPOCH abc
    CLUSTER SET-CONFIG-EPOCH 5
    CLUSTER FLUSHSLOTS
    CLUSTER RESET
    CLUSTER RESET bogus
    CLUSTER SAVECONFIG
    CLUSTER SAVECONFIG x
    ~shape CLUSTER LINKS
    ~any CLUSTER HELP
    REPLICAOF 127.0.0.1 7000
    REPLICAOF NO ONE
    FLUSHALL
  `,
  ],
  [
    "slots on the move",
    String.raw`
    SET b 1
    CLUSTER SETSLOT 3300 MIGRATING NODE2
    GET b
    GET {b}gone
    SET {b}gone v
    MGET b {b}gone
    MGET {b}gone {b}gone2
    EXISTS b {b}gone
    MULTI
    GET b
    GET {b}gone
    EXEC
    CLUSTER SETSLOT 3300 STABLE
    GET {b}gone
    CLUSTER SETSLOT 12182 IMPORTING NODE2
    GET foo
    ASKING
    GET foo
    GET foo
    ASKING
    MGET foo {foo}2
    ASKING
    SET foo v
    ASKING
    GET foo
    ASKING
    MGET foo {foo}2
    ASKING
    MULTI
    GET foo
    EXEC
    ASKING
    PING
    GET foo
    CLUSTER SETSLOT 12182 MIGRATING NODE2
    CLUSTER SETSLOT 3300 IMPORTING NODE2
    CLUSTER SETSLOT 3300 MIGRATING NODE1
    CLUSTER SETSLOT 3300 NODE NODE2
    CLUSTER SETSLOT 12182 STABLE
    GET foo
    FLUSHALL
  `,
  ],
];

export const clusterScenarios = clusterOnly.map(([name, text]) => scenario(name, text));
