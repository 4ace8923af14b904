"""Puts the ingress together from its configuration: every adapter is chosen and wired here, and closed here."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from serve_app.adapters import record
from serve_app.adapters.auth import KeyAndTokenAuthenticator
from serve_app.adapters.desk_watch import DeskWatch
from serve_app.adapters.memory_answers import MemoryAnswers
from serve_app.adapters.redis_answers import TieredAnswers
from serve_app.adapters.sql_aside import SqlSetAsides
from serve_app.adapters.sql_drafts import SqlDrafts
from serve_app.adapters.sql_feedback import SqlRatings
from serve_app.adapters.sql_jobs import SqlJobs
from serve_app.adapters.sql_keys import SqlKeys
from serve_app.adapters.sql_knowledge import SqlKnowledge
from serve_app.adapters.sql_outbox import SqlOutbox
from serve_app.adapters.sql_proposals import SqlProposals
from serve_app.adapters.sql_question_log import SqlQuestionLog
from serve_app.adapters.sql_tickets import SqlTickets
from serve_app.adapters.system import SystemClock, new_id
from serve_app.adapters.tokenizer import HfTokenizer
from serve_app.adapters.visitor_tokens import VisitorTokens
from serve_app.adapters.webhook import Hook, WebhookSender
from serve_app.answering.complaints import Complaints
from serve_app.answering.course import Course
from serve_app.answering.deciding import Deciding
from serve_app.answering.desk_work import DeskWork
from serve_app.answering.facts_ahead import FactsAhead
from serve_app.answering.handover import Handover, HandoverShop
from serve_app.answering.in_flight import InFlight
from serve_app.answering.library import Library
from serve_app.answering.live import Live
from serve_app.answering.question_head import QuestionHead
from serve_app.answering.question_tally import QuestionTally
from serve_app.answering.reader import Reader, Shop
from serve_app.answering.rechecking import Rechecking
from serve_app.answering.regeneration import Regenerations
from serve_app.answering.rooms import Rooms
from serve_app.answering.shared_tier import SharedTier
from serve_app.answering.speaker import Speaker
from serve_app.answering.taps import Taps
from serve_app.answering.voices import Voices
from serve_app.api.readiness import Readiness
from serve_app.api.services import Completions, Services
from serve_app.config import Config, secret
from serve_app.domain.generation import Sampling
from serve_app.domain.model_card import card_of
from serve_app.first_questions import FirstQuestions, formats_of, make_understander
from serve_app.knowledge_editing import KnowledgeEditor
from serve_app.packaged_model import model_path
from serve_app.ports import CacheRoom, Clock, ContextRoom, InferenceRoom, TierCounts
from serve_app.pregeneration.assembling import Stores, pregeneration
from serve_app.pregeneration.process import Means, worker
from serve_app.pregeneration.warming import Warming
from serve_app.published import Published
from serve_app.redis_stores import RedisWatch, open_redis
from serve_app.tenant_settings import TenantSettings
from serve_app.versions import Versions


@dataclass(frozen=True, slots=True)
class OtherRooms:
    """The rooms that the ingress asks, each with a check of its own for `/readyz`."""

    cache: CacheRoom
    context: ContextRoom
    inference: InferenceRoom
    checks: Mapping[str, Callable[[], Awaitable[None]]]
    load: Callable[[], float] = lambda: 0.0  # of the model's replicas on average, in streams


async def assemble(
    config: Config,
    rooms: OtherRooms,
    counts: TierCounts,
    stack: AsyncExitStack,
    clock: Clock | None = None,
    watch_redis: RedisWatch | None = None,
) -> Services:
    """The services of one ingress process. `stack` closes what was opened; `clock` None: the machine's.

    Ready when it returns: the classifier is trained, the tokenizer loaded, the view of the published versions read.
    Raises ConfigError, StoreFailed.
    """
    clock = clock or SystemClock()
    engine = record.connect(str(config.record.url))
    stack.push_async_callback(engine.dispose)
    await record.ensure_tables(engine)
    redis = await open_redis(config, watch_redis or RedisWatch(), stack)
    sessions = redis.sessions
    knowledge = SqlKnowledge(engine, clock.now)
    card = card_of(config.model)
    tokenizer = await asyncio.to_thread(HfTokenizer.load, config.model.path or model_path(config.home))
    voices = Voices(config.tenants, knowledge, tokenizer, config.model, card, clock)
    published = Published(knowledge)

    async def changed(tenant: str) -> None:
        await asyncio.gather(published.renew(tenant), voices.renew(tenant))
        # The last thing before the view shows it: what was made for it is in memory when it is asked for.
        await warming.adopt(tenant)

    set_asides = SqlSetAsides(engine)
    versions = Versions(knowledge, set_asides, config.tenants, clock, config.record.heartbeat_ms / 1000, changed)
    shared = SharedTier(
        TieredAnswers(MemoryAnswers(monotonic=clock.monotonic, evicted=counts.evicted), redis.answers),
        view=versions.view,
        shops={tenant: settings.shop.id for tenant, settings in config.tenants.items()},
        stamp=voices.stamp,
        clock=clock,
        ttl_s=config.redis.answer_ttl_s,
        serve_stale_s=config.record.serve_stale_s,
        counts=counts,
    )
    jobs, question_log = SqlJobs(engine), SqlQuestionLog(engine)
    regenerations = Regenerations(config.limits.regenerations, counts.regenerated)
    warming = Warming(
        jobs, question_log, shared, published.entries, lambda tenant: voices.stamp(tenant).digest(), regenerations.hit
    )
    await versions.refresh()
    _in_background(versions.run(), stack)
    await warming.warm(tuple(config.tenants))
    shops = {tenant: HandoverShop.of(settings) for tenant, settings in config.tenants.items()}
    tickets = SqlTickets(engine, [name for name, tenant in config.tenants.items() if tenant.desk.webhook_url])
    desk_watch = DeskWatch(
        tickets,
        {tenant: shop.desk for tenant, shop in shops.items()},
        clock,
        heartbeat_s=config.record.heartbeat_ms / 1000,
        idle_s=config.redis.session_ttl_s,
    )
    await desk_watch.refresh()
    _in_background(desk_watch.run(), stack)
    sender = WebhookSender(SqlOutbox(engine), _hooks(config), clock, random.random)
    stack.push_async_callback(sender.aclose)
    _in_background(sender.run(), stack)
    handover = Handover(tickets, desk_watch, shops, clock, new_id)
    stack.push_async_callback(handover.aclose)
    proposals = SqlProposals(engine)
    taps = Taps(proposals, clock)
    stack.push_async_callback(taps.aclose)
    tally = QuestionTally(question_log, clock)
    stack.push_async_callback(tally.flush)
    _in_background(tally.run(), stack)
    head = QuestionHead(question_log, config.tenants)
    _in_background(head.run(), stack)
    understander = await asyncio.to_thread(make_understander)
    facts_ahead = FactsAhead(
        rooms.context,
        clock,
        config.deadlines.facts_ahead_s,
        config.deadlines.facts_ms / 1000,
        {
            name: frozenset(one.part for one in shop.sources)
            for name, shop in config.tenants.items()
            if shop.sources is not None
        },
    )
    stack.push_async_callback(facts_ahead.aclose)
    asked_rooms = Rooms(rooms.cache, facts_ahead, clock, config.deadlines)

    async def catch_up() -> None:
        await versions.refresh()
        await versions.caught_up()

    speaker = Speaker(card, rooms.inference, voices, tokenizer, config.model, config.deadlines.first_token_s, handover)
    library = Library(published, asked_rooms, versions.view, catch_up, clock, config.record.serve_stale_s)
    rechecking = Rechecking(library.look_up, shared, versions.view, clock)
    stack.push_async_callback(rechecking.aclose)
    answered_shops = {tenant: _shop(settings) for tenant, settings in config.tenants.items()}
    reader = Reader(understander, answered_shops, clock)
    course = Course(
        reader=reader,
        deciding=Deciding(
            shops=answered_shops,
            reader=reader,
            shared=shared,
            rooms=asked_rooms,
            library=library,
            speaker=speaker,
            clock=clock,
            handover=handover,
            regenerations=regenerations,
            rechecking=rechecking,
        ),
        sessions=sessions,
        shared=shared,
        rooms=asked_rooms,
        library=library,
        speaker=speaker,
        clock=clock,
        new_id=new_id,
        deadlines=config.deadlines,
        handover=handover,
        taps=taps,
        counts=counts,
        tally=tally,
        head=head,
    )
    understand = FirstQuestions(config.tenants, lambda: understander, clock.now)
    editor = KnowledgeEditor(knowledge, SqlDrafts(engine), proposals, clock.now, understand)
    stores = Stores(editor, knowledge, question_log, proposals, jobs)
    means = Means(speaker, rooms.inference, voices, tokenizer, library, understand, clock, new_id)
    if (maker := worker(config, stores, means, rooms.load)) is not None:
        stack.push_async_callback(maker.aclose)
        _in_background(maker.run(), stack)
    live = Live(redis.live, sessions, desk_watch, config.limits.grace_s)
    _in_background(live.run(), stack)
    stack.push_async_callback(live.aclose)
    checks = {"sessions": redis.check, "record": versions.refresh, **rooms.checks}
    return Services(
        course=course,
        sessions=sessions,
        authenticator=KeyAndTokenAuthenticator(SqlKeys(engine), config.tenants, config.home, clock),
        visitor_tokens=VisitorTokens(config.tenants, config.home, clock),
        tenants=config.tenants,
        card=card,
        completions=Completions(
            transcripts=redis.transcripts,
            turns_shown=config.redis.session_turns,
            sampling=Sampling(temperature=config.model.temperature, max_tokens=config.model.max_tokens),
            tokenizer=tokenizer,
            fingerprint=lambda tenant: f"fp_{voices.of(tenant).fingerprint}",
        ),
        handover=handover,
        desk_work=DeskWork(tickets, SqlOutbox(engine), sessions, shops, clock, new_id, desk_watch.changed_here),
        live=live,
        facts_ahead=facts_ahead,
        in_flight=InFlight(config.limits.requests_in_flight),
        knowledge=knowledge,
        editor=editor,
        pregeneration=pregeneration(config, stores, clock.now),
        proposals=proposals,
        ratings=SqlRatings(engine),
        set_asides=set_asides,
        complaints=Complaints(set_asides, clock),
        readiness=Readiness(checks, clock.monotonic, spared=frozenset({"sessions"})),
        limits=config.limits,
        clock=clock,
        new_id=new_id,
    )


def _in_background(work: Awaitable[None], stack: AsyncExitStack) -> None:
    task = asyncio.ensure_future(work)

    async def end() -> None:
        # Asked again: a cancellation that meets another call's end at the same moment can be lost in it.
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=1)

    stack.push_async_callback(end)


def _hooks(config: Config) -> dict[str, Hook]:
    desks = {name: tenant.desk for name, tenant in config.tenants.items()}
    return {
        name: Hook(desk.webhook_url, secret(desk.webhook_secret, config.home))
        for name, desk in desks.items()
        if desk.webhook_url is not None and desk.webhook_secret is not None
    }


def _shop(settings: TenantSettings) -> Shop:
    return Shop(settings.shop.time_zone, settings.shop.currency, formats_of(settings))
