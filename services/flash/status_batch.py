"""Asks for the status of many invoices in one request: a request is what Flash counts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from models.errors import GatewayError
from models.flash import InvoiceStatus
from services.flash.client import FlashClient
from services.flash.pace import Need, Pace

MOST: Final = 16


@dataclass(slots=True)
class _Question:
    invoice: str
    need: Need
    answer: asyncio.Future[InvoiceStatus]


class StatusBatch:
    """Gathers questions while none may be asked yet; one goes at once where there is no hurry."""

    def __init__(self, client: FlashClient, pace: Pace) -> None:
        self._client = client
        self._pace = pace
        self._turn = asyncio.Lock()
        self._waiting: list[_Question] = []
        # One bad invoice can spoil an answer: those that shared it are asked about alone.
        self._alone: set[str] = set()

    async def ask(self, invoice: str, need: Need) -> InvoiceStatus:
        """Ask for the status of an invoice, within the pace and with others that wait.

        Raises:
            GatewayError: No usable answer.
        """
        question = _Question(invoice, need, asyncio.get_running_loop().create_future())
        self._waiting.append(question)
        try:
            while not question.answer.done():
                async with self._turn:
                    if not question.answer.done():
                        await self._pace.take(self._most_pressing)
                        await self._ask(self._next())
            return question.answer.result()
        finally:
            if question in self._waiting:
                self._waiting.remove(question)
            if not question.answer.cancel() and not question.answer.cancelled():
                question.answer.exception()  # looked at, should whoever asked be gone

    def _most_pressing(self) -> Need:
        return min(question.need for question in self._waiting)

    def _next(self) -> list[_Question]:
        """Take the most pressing questions out of the queue, oldest first."""
        queue = sorted(self._waiting, key=lambda question: question.need)
        first = queue[0]
        together = [question for question in queue if question.invoice not in self._alone]
        chosen = [first] if first.invoice in self._alone else together[:MOST]
        self._waiting = [question for question in self._waiting if question not in chosen]
        return chosen

    async def _ask(self, questions: list[_Question]) -> None:
        invoices = [question.invoice for question in questions]
        try:
            answers = await self._client.ask_statuses(invoices)
        except GatewayError as error:
            self._alone = set(invoices) if len(invoices) > 1 else self._alone - set(invoices)
            for question in questions:
                if not question.answer.done():
                    question.answer.set_exception(error)
            return
        except BaseException:
            # Whoever asked is gone; the others ask again, in the next one's turn.
            self._waiting = [each for each in questions if not each.answer.done()] + self._waiting
            raise
        self._alone -= set(invoices)
        for question, answer in zip(questions, answers, strict=True):
            if not question.answer.done():
                question.answer.set_result(answer)
