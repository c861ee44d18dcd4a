// MULTI, EXEC, DISCARD, WATCH, with every way they can go wrong.

import { scenario } from "./define.js";

export const transactions = [
  scenario(
    "MULTI and EXEC",
    String.raw`
    MULTI
    SET a 1
    INCR a
    GET a
    MGET a b
    EXEC
    EXEC
    DISCARD
    MULTI
    EXEC
    MULTI
    MULTI
    PING
    EXEC
    MULTI
    SET a 1
    DISCARD
    GET a
    MULTI x
    EXEC x
    DISCARD x
    MULTI
    SET a x
    INCR a
    SET b 2
    EXEC
    GET b
    MULTI
    GET
    SET c 3
    EXEC
    GET c
    MULTI
    nosuchcommand a b
    EXEC
    MULTI
    SET k v nonsense
    EXEC
    MULTI
    SELECT 1
    SET other v
    SELECT 0
    EXEC
    GET other
    MULTI
    SELECT 99
    EXEC
    MULTI
    WATCH a
    SET d 4
    EXEC
    GET d
    MULTI
    SUBSCRIBE
    EXEC
    MULTI
    MULTI
    EXEC
    MULTI x
    MULTI
    EXEC x
    SET e 5
    EXEC
    MULTI
    FLUSHALL
    SET z 1
    EXEC
    MULTI
    RESET
    EXEC
    MULTI
    UNWATCH
    EXEC
    MULTI
    CONFIG SET nosuch 1
    EXEC
  `,
  ),
  scenario(
    "WATCH",
    String.raw`
    SET k 1
    WATCH k
    MULTI
    SET k 2
    EXEC
    WATCH k
    @b SET k 3
    MULTI
    SET k 4
    EXEC
    GET k
    WATCH k
    @b SET k 3
    UNWATCH
    MULTI
    SET k 5
    EXEC
    WATCH k other
    @b DEL other
    MULTI
    GET k
    EXEC
    WATCH other
    @b SET other v
    @b DEL other
    MULTI
    GET k
    EXEC
    WATCH
    WATCH k
    SET k self
    MULTI
    GET k
    EXEC
    WATCH k
    @b EXPIRE k 100
    MULTI
    GET k
    EXEC
    WATCH k
    @b FLUSHALL
    MULTI
    GET k
    EXEC
    WATCH nothing
    @b FLUSHALL
    MULTI
    PING
    EXEC
    SET k v
    WATCH k
    @b SWAPDB 0 1
    MULTI
    PING
    EXEC
    SELECT 1
    WATCH k
    @b SELECT 0
    @b SET k v
    MULTI
    GET k
    EXEC
    @b SELECT 1
    WATCH k
    @b SET k v
    DISCARD
    MULTI
    GET k
    DISCARD
    MULTI
    GET k
    EXEC
    WATCH k
    @b SET k v
    MULTI
    INCR
    EXEC
    WATCH k
    @b SET k v
    RESET
    MULTI
    PING
    EXEC
    UNWATCH x
    UNWATCH
    SET gone v
    PEXPIRE gone 20
    WATCH gone
    DEBUG SLEEP 0.03
    MULTI
    PING
    EXEC
    SET copy 1
    WATCH copy
    @b SELECT 0
    @b RENAME k copy2
    @b COPY copy2 copy REPLACE
    MULTI
    PING
    EXEC
  `,
    // RESET goes back to RESP2 by itself; one run is enough.
    [2],
  ),
];
