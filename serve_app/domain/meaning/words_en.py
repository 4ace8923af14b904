"""English words and what they mean in a question. Of several that could be read at one place, the longest is.

Apostrophes are gone (dont, cant), words are in lower case. Small on purpose:
Apostrophes are gone (dont, cant), words are in lower case. Small on purpose: two words stand for one concept only where no shop
would answer them differently.
"""

from __future__ import annotations

from serve_app.domain.meaning.tokens import table

ENGLISH = table(
    """
    : a, an, the, please, pls, plz, kindly, just, is, are, am, be, do, does, of, there, so, well, then, actually, really
    : exactly
    : hi, hello, hey, thanks, thank you, tell me, can you tell me, could you tell me, let me know, i would like to know
    : may i know
    : is it possible to know, do you know, if i, whether, in, at, on, basically, usually, normally, generally, typically, im
    : ive
    : i was wondering, i wonder, wondering, currently, some kind of, any, here, get to, you guys, also
    ask how: how, how to, how do, how does, how can, how could, how would, how might, how is, how are, what is the way to
    ask how: what is the best way to, whats the best way to, whats the way to, what is the process to, whats the process to
    ask how: what is the process for, whats the process for, what are the steps to, how would one, how does one
    ask how: what do i do to
    ask how: what do i need to do to, what should i do to, what steps do i take to, what must i do to, how am i able to
    ask how_long: how long, how many days, how much time, how long does it take, how long will it take
    ask how_long: how long would it take
    ask how_long: how long does it take for, how long does it take to, how long do, how long does, how long is, how long are
    ask how_long: how many working days, how many business days, how long is it going to take, how much time does it take
    ask how_soon: how soon, how fast, how quickly, how quick
    ask when: when, what time, what day, what date
    ask how_much: how much, how much is, how much does, how much do, what is the cost of, what is the price of
    ask how_much: whats the price of, whats the cost of, how much does it cost, how much will it cost
    ask how_much: how much would it cost
    ask how_much: how much does it cost to, what does it cost, what does it cost to, how much money
    ask how_many: how many
    ask how_often: how often, how frequently
    ask how_far: how far
    ask where: where, whereabouts, in which place
    ask who: who, whom, whos
    ask whose: whose
    ask why: why, how come, what is the reason, for what reason, whats the reason, why is, why are, why do, why does
    ask which: which, what kind of, what type of, what kinds of, what types of, what sort of
    ask what: what, whats, what is, what are
    ask what_then: what if, what happens if, what happens when, what should i do if, what do i do if, what can i do if
    ask what_then: what can i do, what do i do
    ask what_then: what do i do when, what should i do when, what happens
    modal can: can, could, able to, am i able to, is it possible to, possible to, allowed to, am i allowed to,
    modal can: is it ok to
    modal can: is it okay to, is there a way to, is there any way to, possible for me to, it possible for me to
    modal can: permitted to
    modal can not no: cannot, cant, can not, couldnt, unable to, not able to, not possible to, not allowed to
    modal may: may, might
    modal will: will, going to, gonna, shall
    modal will not no: wont
    modal would: would
    modal would not no: wouldnt
    modal should: should, supposed to, ought to
    modal should not no: shouldnt
    modal must: must, obliged to, required to
    modal must not no: mustnt
    modal need: need, needs, need to, have to, has to, got to, gotta, needed
    modal want: want, want to, wants, wanna, would like, would like to, id like, id like to, like to, wish to, trying to
    modal want: try to
    modal want: i want to, looking to, intend to, plan to, hoping to
    not no: undo, undoing, reverse, revoke, not, no, never, none, nothing, dont, doesnt, isnt, arent, aint, nor, neither
    not no: nobody
    not no aspect past: didnt, wasnt, werent
    not no aspect have: havent, hasnt, hadnt
    aspect past: did, was, were, been, had
    aspect have: have, has
    aspect already: already
    aspect still: still
    aspect yet: yet
    aspect again: again, once more, another time
    aspect now: now, right now, at the moment, at present
    aspect recently: recently, lately
    aspect ever: ever
    aspect always: always, every time
    scope only: only, solely, merely, exclusively
    scope all: all, everything, every, whole, entire, entirely, fully, full
    scope part: some, part, partly, partial, partially, several
    scope except: except, excluding, apart from, other than, besides, but not
    scope each: each, per
    scope most: most, maximum, max, at most, up to, highest
    scope least: least, minimum, min, at least, lowest
    scope both: both, either
    scope half: half
    scope other: other, another, else, different, someone else, somebody else
    scope again_more: more
    scope less: less, fewer
    relation before: before, prior to
    relation until: until, till
    relation by: by
    relation once: once
    relation after: after, following, upon, since
    relation within: within
    relation over: over, above, beyond, past, exceed, exceeds, longer than, more than, exceeding
    relation under: under, below, less than, fewer than
    relation from: from
    relation to: to, into, onto, towards
    relation with: with, alongside, together with
    relation without: without
    relation than: than
    relation for: for
    relation instead: instead, instead of, rather than
    relation and: and, as well as
    relation or: or
    relation if: if, in case
    relation unless: unless
    relation because: because, because of, due to
    relation about: about, regarding, concerning
    relation against: against, versus, vs
    relation while: while, during
    relation inside: inside
    relation off: off, out of
    relation between: between
    person i: i, me, we, us, myself, ill, id, customer, customers, buyer, buyers
    person my: my, mine, our, ours
    person your: your, yours, ur
    person their: their, theirs, his, her
    person you: you, u, seller, the shop, the store
    person they: he, she, they, him, them, someone, somebody, anyone, friend
    figure 2: two
    figure 3: three
    figure 4: four
    figure 5: five
    figure 6: six
    figure 7: seven
    figure 8: eight
    figure 9: nine
    figure 10: ten
    figure 11: eleven
    figure 12: twelve
    figure 14: fourteen
    figure 15: fifteen
    figure 20: twenty
    figure 30: thirty
    figure 50: fifty
    figure 60: sixty
    figure 90: ninety
    figure 100: hundred, one hundred, a hundred
    figure 1000: thousand, one thousand, a thousand
    figure today: today, tonight, same day
    figure tomorrow: tomorrow, next day
    figure yesterday: yesterday
    figure monday: monday, mondays
    figure tuesday: tuesday, tuesdays
    figure wednesday: wednesday, wednesdays
    figure thursday: thursday, thursdays
    figure friday: friday, fridays
    figure saturday: saturday, saturdays
    figure sunday: sunday, sundays
    figure weekend: weekend, weekends
    figure january: january
    figure february: february
    figure march: march
    figure april: april
    figure june: june
    figure july: july
    figure august: august
    figure september: september
    figure october: october
    figure november: november
    figure december: december
    figure this_week: this week
    figure next_week: next week
    figure last_week: last week
    figure this_month: this month
    figure next_month: next month
    figure last_month: last month
    figure first: first, 1st
    figure second: second, 2nd
    figure third: third, 3rd
    figure last: last, final
    name gold: gold
    name silver: silver
    name platinum: platinum
    name bronze: bronze
    name diamond: diamond
    name vip: vip
    name credit_card: credit card, credit cards
    name debit_card: debit card, debit cards
    name visa: visa
    name mastercard: mastercard, master card
    name paypal: paypal
    name apple_pay: apple pay
    name google_pay: google pay
    name wechat: wechat, wechat pay
    name alipay: alipay
    word item: item, items, product, products, goods, article, articles, something, stuff, merchandise, purchase, purchases
    word parcel: parcel, parcels, package, packages, packet
    word courier: courier, couriers, carrier, carriers
    word phone: phone, mobile, cell, cellphone, phone number, mobile number, cell number, mobile phone
    word freight: shipping fee, shipping fees, shipping cost, shipping costs, postage, delivery fee, delivery cost
    word freight: delivery charge
    word freight: shipping charge, shipping charges, delivery costs, delivery fees, delivery charges, shipping rate, freight
    word coupon: coupon, coupons, voucher, vouchers
    word money: money, funds, cash
    do refund: refund, refunds, money back, get money back, get a refund, receive a refund, be refunded, get refunded
    do return: return, returns, send back, returning, bring back
    do exchange: exchange, exchanges, swap, exchanging
    do cancel: cancel, cancels, cancelling, canceling, cancellation
    do ship: ship, ships, dispatch, send out
    do deliver: deliver, delivers
    do arrive: arrive, arrives, come
    do buy: buy, buys, buying
    do order: place an order, make an order
    do pay: pay, pays, paying, bear, cover
    do receive: receive, get, obtain, receiving, getting
    do change: change, changes, modify, changing, alter, amend
    do log_in: log in, login, sign in, logging in, log into, sign into
    do sign_up: sign up, register
    do delete: delete, remove, erase
    do use: use, uses, using, utilize
    do check: check, look up, view, see, find out
    do open: open, opening
    do track: track, trace, tracking
    do contact: contact, reach, get in touch with, get hold of
    do apply: apply, apply for, request
    do top_up: top up, topup, top-up, top ups, topping up
    do transfer: transfer, transfers
    word colour: colour, color, colours, colors
    word email: email, e-mail, mail address, email address
    word invoice: invoice, invoices
    word refund_policy: refund policy
    word return_policy: return policy
    """,
    apart=",",
)
