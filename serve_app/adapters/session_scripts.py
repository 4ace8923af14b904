"""What Redis does in one step for a session: the turn-taking, as Lua.

A session is three keys in one slot:
  head   a hash: `owner` (a customer's id, empty while anonymous), `count` (of turns), `tickets`, `focus` and `focus_of` (the
         turn that set it); per turn N: `m:MESSAGE_ID` -> N (one field a message, where several are one question), `a:N` ("1":
         answered; "0": its answer broke off), `l:N` (the lease: "EXPIRES_AT_MS HOLDER"), `q:N` (where in the transcript its
         question stands)
  turns  the transcript, a list that only grows: {"n": N, "q": question} and {"n": N, "a": answer}; of
         two questions of one turn the later holds, it is put together from more messages
  queue  the turns that are not over, a sorted set by ticket: the first one has its turn, the others wait

A turn's holder is one call of `begin`. It renews its lease while it works or waits; a holder that died stops renewing, and
whoever comes next drops it from the queue. Its question stays in the transcript, and the same message may take the turn up
again. Every script may be repeated without harm, so a call whose reply was lost is simply made again.
"""

from __future__ import annotations

from serve_app.adapters.redis_link import Script

_PRELUDE = """
local head, turns, queue = KEYS[1], KEYS[2], KEYS[3]
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

-- Who holds turn n: nil when nobody does, or its holder has died.
local function holder_of(n)
  local lease = redis.call('HGET', head, 'l:' .. n)
  if not lease then return nil end
  local until_ms, holder = string.match(lease, '^(%d+) (.*)$')
  if tonumber(until_ms) < now_ms then return nil end
  return holder
end

local function renew(n, holder, lease_ms)
  redis.call('HSET', head, 'l:' .. n, string.format('%d %s', now_ms + lease_ms, holder))
end

local function leave(n)
  redis.call('ZREM', queue, n)
  redis.call('HDEL', head, 'l:' .. n)
end

local function keep_for(ttl_s)
  for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ttl_s) end
end
"""

# Arguments: customer id (empty: anonymous), message id, "1" for a new session, question, holder, lease ms, ttl s, how many
# turns before its own are wanted, how many turns a session may have, the answer where it is known (else empty) with the focus
# that it needs (empty: none) and the focus after it, then the further messages of the same question.
# Replies: {unknown} | {foreign, owner} | {full} | {answered, n, owner} | {wait, n} | {apart}: some of the messages are another
# turn's, or its answer is given | {repeated or turn, n, owner, focus, transcript from there on}
BEGIN = Script(
    _PRELUDE
    + """
local customer, message, is_new, question, holder = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local lease_ms, ttl_s, wanted, most = ARGV[6], ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
local answer, before, after = ARGV[10], ARGV[11], ARGV[12]

local owner = redis.call('HGET', head, 'owner')
if not owner and is_new ~= '1' then return {'unknown'} end
if not owner or (owner == '' and customer ~= '') then
  owner = customer
  redis.call('HSET', head, 'owner', owner)
elseif owner ~= customer then
  return {'foreign', owner}
end

local function reply(status, n)
  local first = redis.call('HGET', head, 'q:' .. string.format('%d', math.max(1, n - wanted))) or 0
  return {status, n, owner, redis.call('HGET', head, 'focus'), redis.call('LRANGE', turns, first, -1)}
end

if answer ~= '' and redis.call('EXISTS', queue) == 0 then
  local head_now = redis.call('HMGET', head, 'm:' .. message, 'count', 'focus')
  local count = tonumber(head_now[2] or 0)
  if not head_now[1] and count < most and #ARGV == 12 and (head_now[3] or '') == before then
    local n = string.format('%d', count + 1)
    local line = '{"n":' .. n .. ','
    local length = redis.call('RPUSH', turns, line .. '"q":' .. question .. '}', line .. '"a":' .. answer .. '}')
    redis.call('HSET', head, 'count', n, 'm:' .. message, n, 'q:' .. n, length - 2, 'a:' .. n, '1')
    redis.call('HSET', head, 'focus', after, 'focus_of', n)
    keep_for(ttl_s)
    return {'answered', n, owner}
  end
end

local n = redis.call('HGET', head, 'm:' .. message)
local added = {}
for i = 13, #ARGV do
  local known = redis.call('HGET', head, 'm:' .. ARGV[i])
  if not known then table.insert(added, ARGV[i]) elseif known ~= n then return {'apart'} end
end

if n then
  local count = redis.call('HGET', head, 'count')
  if #added > 0 and (redis.call('HGET', head, 'a:' .. n) == '1' or n ~= count) then return {'apart'} end
  if redis.call('HGET', head, 'a:' .. n) == '1' then
    keep_for(ttl_s)
    return reply('repeated', n)
  end
  local other = holder_of(n)
  if other and other ~= holder then return {'wait', n} end
  if #added > 0 then redis.call('RPUSH', turns, '{"n":' .. n .. ',"q":' .. question .. '}') end
else
  if tonumber(redis.call('HGET', head, 'count') or 0) >= most then return {'full'} end
  n = string.format('%d', redis.call('HINCRBY', head, 'count', 1))
  redis.call('HSET', head, 'm:' .. message, n)
  local length = redis.call('RPUSH', turns, '{"n":' .. n .. ',"q":' .. question .. '}')
  redis.call('HSET', head, 'q:' .. n, length - 1)
end
for _, id in ipairs(added) do redis.call('HSET', head, 'm:' .. id, n) end

if not redis.call('ZSCORE', queue, n) then
  redis.call('ZADD', queue, redis.call('HINCRBY', head, 'tickets', 1), n)
end
renew(n, holder, lease_ms)
keep_for(ttl_s)

local first = redis.call('ZRANGE', queue, 0, 0)[1]
while first ~= n do
  if holder_of(first) then return {'wait', n} end
  leave(first)
  first = redis.call('ZRANGE', queue, 0, 0)[1]
end
return reply('turn', n)
"""
)

# Arguments: n, holder, answer, "1" when it is whole ("0": it broke off), focus, ttl s, the turn's message (empty: not known).
# Replies: gone | taken | done. A store that lost its last writes may have given n to another message: that turn is gone.
FINISH = Script(
    _PRELUDE
    + """
local n, holder, answer, whole, focus, ttl_s = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local message = ARGV[7]
if tonumber(redis.call('HGET', head, 'count') or 0) < tonumber(n) then return 'gone' end
if message ~= '' and redis.call('HGET', head, 'm:' .. message) ~= n then return 'gone' end
if redis.call('HGET', head, 'a:' .. n) == '1' then return 'done' end
local other = holder_of(n)
if other and other ~= holder then return 'taken' end

redis.call('RPUSH', turns, answer)
redis.call('HSET', head, 'a:' .. n, whole)
if tonumber(redis.call('HGET', head, 'focus_of') or 0) <= tonumber(n) then
  redis.call('HSET', head, 'focus', focus, 'focus_of', n)
end
leave(n)
keep_for(ttl_s)
return 'done'
"""
)

# Arguments: n, holder, lease ms. Replies 1 while the turn is still the holder's.
RENEW = Script(
    _PRELUDE
    + """
local n, holder, lease_ms = ARGV[1], ARGV[2], ARGV[3]
if not redis.call('ZSCORE', queue, n) then return 0 end
local other = holder_of(n)
if other and other ~= holder then return 0 end
renew(n, holder, lease_ms)
return 1
"""
)

# Arguments: message id, holder. Takes the message's turn out of the queue unless somebody else holds it.
LEAVE = Script(
    _PRELUDE
    + """
local message, holder = ARGV[1], ARGV[2]
local n = redis.call('HGET', head, 'm:' .. message)
if not n then return 0 end
local other = holder_of(n)
if other and other ~= holder then return 0 end
leave(n)
return 1
"""
)

# Replies {owner, focus, transcript}; owner is nil when there is no such session.
READ = Script(
    """
local head, turns = KEYS[1], KEYS[2]
return {redis.call('HGET', head, 'owner'), redis.call('HGET', head, 'focus'), redis.call('LRANGE', turns, 0, -1)}
"""
)

# Arguments: customer id (empty: anonymous), ttl s when a new session is to be made ("0": it must be there).
# Replies: unknown | foreign | entered
ENTER = Script(
    """
local head = KEYS[1]
local customer, ttl_s = ARGV[1], ARGV[2]
local owner = redis.call('HGET', head, 'owner')
if not owner and ttl_s == '0' then return 'unknown' end
if not owner then
  redis.call('HSET', head, 'owner', customer)
  redis.call('EXPIRE', head, ttl_s)
elseif owner ~= '' and owner ~= customer then
  return 'foreign'
end
return 'entered'
"""
)
