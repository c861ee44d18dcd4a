// What works through a router although its keys lie in different slots: taken apart, merged, or
// asked of every node.

import { scenario } from "../interop/scenarios/define.js";

export const untagged = [
  scenario(
    "keys of many slots",
    String.raw`
    MSET a 1 b 2 c 3 d 4 e 5 f 6
    MGET a b c d e f
    MGET a missing c a a
    MGET f e d c b a
    EXISTS a b missing a
    TOUCH a b missing
    DEL a b missing
    UNLINK c d c
    MGET a b c d e f
    MSET a 1 b
    MSET a <x*70000> b <y*100000>
    MGET a b
    MSET a "\x00\xff\r\n" b ""
    MGET a b
    RPUSH list 1
    MGET a list b
    DBSIZE
    ~sorted KEYS *
    ~sorted KEYS [ab]
    KEYS nothing*
    FLUSHALL
    DBSIZE
    RANDOMKEY
    KEYS *
    SET only 1
    RANDOMKEY
    FLUSHDB
    GET only
    PUBLISH nobody hello
    CONFIG SET maxmemory-samples 7
    CONFIG GET maxmemory-samples
    CONFIG SET no-such-directive 1
  `,
  ),
];

/** Where the cluster has scripts. */
export const scripts = [
  scenario(
    "scripts on every node",
    String.raw`
    SCRIPT EXISTS da39a3ee5e6b4b0d3255bfef95601890afd80709
    SCRIPT LOAD "return 1"
    SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db da39a3ee5e6b4b0d3255bfef95601890afd80709
    EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 1 a
    EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 1 b
    EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 1 c
    EVAL "return redis.call('set',KEYS[1],ARGV[1])" 1 k v
    GET k
    SCRIPT FLUSH
    SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db
  `,
  ),
];
