"""A small shop of one's own, with its own names, codes, units and times: the other side of `config.yaml`.

Run it with: uvicorn --app-dir examples/http_shop shop:app --port 8100
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, FastAPI, Header, HTTPException

SHOP_ZONE = ZoneInfo("Asia/Shanghai")


def check_key(x_shop_key: Annotated[str, Header()] = "") -> None:
    if x_shop_key != os.environ.get("SHOP_KEY", "tea-secret"):
        raise HTTPException(401, "wrong X-Shop-Key")


app = FastAPI(title="Lantern Tea", dependencies=[Depends(check_key)])


def local(days: float) -> str:
    """A time of day as this shop writes it: in its own zone, and without saying so."""
    return (datetime.now(SHOP_ZONE) + timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S")


def day(days: int) -> str:
    return (datetime.now(SHOP_ZONE) + timedelta(days=days)).strftime("%Y-%m-%d")


def epoch_ms(days: float) -> int:
    return int((datetime.now(SHOP_ZONE) + timedelta(days=days)).timestamp() * 1000)


def trades(member_no: int) -> list[dict[str, Any]]:
    if member_no != 7:
        return []
    return [
        {
            "tradeNo": 90000000002417,
            "memberNo": 7,
            "status": 30,
            "createdAt": local(-2),
            "payTime": local(-1.99),
            "amount": "216.00",
            "postage": "0.00",
            "region": "杭州市西湖区***",
            "items": [
                {
                    "itemNo": 1,
                    "goodsNo": "T-012",
                    "name": "明前龙井 100g",
                    "nameEn": "Longjing 100g",
                    "qty": 2,
                    "paid": "196.00",
                },
                {"itemNo": 2, "goodsNo": "C-003", "name": "白瓷盖碗", "nameEn": "Porcelain gaiwan", "qty": 1, "paid": "20.00"},
            ],
            "packages": [{"waybill": "SF1330000241700", "company": "顺丰", "status": "ROAD", "eta": day(1)}],
        },
        {
            "tradeNo": 90000000001904,
            "memberNo": 7,
            "status": 50,
            "createdAt": local(-40),
            "payTime": local(-40),
            "amount": "88.00",
            "postage": "8.00",
            "region": "杭州市西湖区***",
            "items": [
                {"itemNo": 1, "goodsNo": "T-030", "name": "普洱熟茶饼", "nameEn": "Ripe pu-erh cake", "qty": 1, "paid": "80.00"}
            ],
        },
    ]


@app.get("/members/{member_no}")
def member(member_no: int) -> dict[str, Any]:
    if member_no not in (7, 8):
        raise HTTPException(404, "no such member")
    names = {7: "林晓", 8: "Emma Wilson"}
    return {
        "memberNo": member_no,
        "nick": names[member_no],
        "mobile": "13812342417",
        "level": 3 if member_no == 7 else 1,
        "levelEnds": local(90),
        "credit": 820,
        "trades": {"total": len(trades(member_no))},
    }


@app.get("/members/{member_no}/trades")
def member_trades(member_no: int) -> dict[str, Any]:
    return {"code": 0, "data": {"list": trades(member_no)}}


@app.get("/waybills/{waybill}")
def waybill_traces(waybill: str) -> dict[str, Any]:
    steps = [
        (-1.6, "GOT", "杭州", "已揽收"),
        (-0.9, "ROAD", "嘉兴转运中心", "已发出"),
        (-0.2, "ROAD", "杭州转运中心", "已到达"),
    ]
    return {
        "waybill": waybill,
        "traces": [{"time": epoch_ms(at), "code": code, "site": site, "desc": desc} for at, code, site, desc in steps],
    }
