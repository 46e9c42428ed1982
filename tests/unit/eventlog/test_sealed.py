"""Sealed values: opaque, bound to tenant, key and kind, and stored for ever."""

from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from eventlog.errors import CorruptHistory
from eventlog.facts import Fact, NewFact, Value
from eventlog.sealed import (
    CIPHER,
    Aes256Gcm,
    Clear,
    Erased,
    Opened,
    Pending,
    PublicText,
    Sealed,
    Unreadable,
    seal,
    unseal,
)

TENANT = "620724"
OWNER = UUID("0190c4a6-0000-7000-8000-000000000001")
KEY = bytes(range(32))
NAME = "张三丰 a1b2"


class Person(Value):
    name: Sealed[str]


class HeadlineGiven(Fact, name="test-sealed-headline-given"):
    headline: PublicText


def a_sealed_name() -> Sealed[str]:
    return seal(KEY, TENANT, OWNER, "person-name", NAME)


class TestSeal:
    @pytest.mark.parametrize("text", [NAME, "", "\x00", "长" * 100_000, "👨‍👩‍👧", "e\u0301"])
    def test_opens_to_exactly_what_was_sealed(self, text: str) -> None:
        assert unseal(KEY, TENANT, seal(KEY, TENANT, OWNER, "words", text)) == Clear(text)

    def test_never_gives_the_same_ciphertext_twice(self) -> None:
        assert len({a_sealed_name().ciphertext for _ in range(1000)}) == 1000

    def test_refuses_a_lone_surrogate_without_repeating_the_text(self) -> None:
        with pytest.raises(ValueError, match="the text holds a lone surrogate") as raised:
            seal(KEY, TENANT, OWNER, "words", NAME + "\ud800")
        assert raised.value.__cause__ is None
        assert raised.value.__context__ is None


class TestUnseal:
    @pytest.mark.parametrize(
        "change",
        [
            {"kind": "phone"},
            {"key_id": uuid4()},
            {"ciphertext": ""},
            {"ciphertext": "AAAA"},
            {"ciphertext": "not base64, 不是"},
        ],
    )
    def test_refuses_what_was_changed(self, change: dict[str, object]) -> None:
        with pytest.raises(CorruptHistory):
            unseal(KEY, TENANT, a_sealed_name().model_copy(update=change))

    def test_refuses_a_changed_or_shortened_ciphertext(self) -> None:
        sealed = a_sealed_name()
        other = "A" if sealed.ciphertext[20] != "A" else "B"
        for ciphertext in (sealed.ciphertext[:20] + other + sealed.ciphertext[21:], sealed.ciphertext[:-8]):
            with pytest.raises(CorruptHistory):
                unseal(KEY, TENANT, sealed.model_copy(update={"ciphertext": ciphertext}))

    def test_refuses_another_county(self) -> None:
        with pytest.raises(CorruptHistory, match="a sealed person-name does not open with its key"):
            unseal(KEY, "620725", a_sealed_name())

    def test_refuses_another_key(self) -> None:
        with pytest.raises(CorruptHistory):
            unseal(CIPHER.new_key(), TENANT, a_sealed_name())


class TestSealed:
    def test_shows_nothing(self) -> None:
        sealed = a_sealed_name()
        assert repr(sealed) == str(sealed) == "Sealed(person-name)"
        assert repr(Person(name=sealed)) == "Person(name=Sealed(person-name))"

    def test_survives_storage(self) -> None:
        person = Person(name=a_sealed_name())
        assert Person.model_validate_json(person.model_dump_json()) == person

    def test_is_read_by_older_code(self) -> None:
        sealed = a_sealed_name()
        newer = sealed.model_dump_json()[:-1] + ',"cipher":"sm4-gcm"}'
        assert Sealed[str].model_validate_json(newer, extra="ignore") == sealed

    def test_is_written_with_known_fields_only(self) -> None:
        with pytest.raises(ValidationError):
            Sealed[str].model_validate({**a_sealed_name().model_dump(), "clear": NAME})

    def test_cannot_be_changed(self) -> None:
        with pytest.raises(ValidationError):
            a_sealed_name().kind = "phone"  # type: ignore[misc]  # that it is refused is the point

    def test_stands_in_a_fact_without_its_content(self) -> None:
        stored = NewFact.of(uuid4(), HeadlineGiven(headline=seal(KEY, TENANT, OWNER, "public-text", NAME)))
        assert "张三丰" not in stored.json
        assert "a1b2" not in stored.json
        assert unseal(KEY, TENANT, HeadlineGiven.model_validate_json(stored.json).headline) == Clear(NAME)

    def test_may_be_copied_between_facts(self) -> None:
        first = HeadlineGiven(headline=a_sealed_name())
        assert unseal(KEY, TENANT, HeadlineGiven(headline=first.headline).headline) == Clear(NAME)


class TestOpened:
    @pytest.mark.parametrize(
        ("opened", "chinese", "english"),
        [
            (Clear("路灯"), "路灯", "路灯"),
            (Pending(), "[…]", "[pending]"),
            (Erased(), "[已删除]", "[deleted]"),
            (Unreadable(), "[无法读取]", "[无法读取]"),
        ],
    )
    def test_is_shown_as_text_or_as_a_word_in_its_place(self, opened: Opened, chinese: str, english: str) -> None:
        assert opened.shown() == chinese
        assert opened.shown(pending="[pending]", erased="[deleted]") == english

    def test_does_not_betray_its_text_in_a_log(self) -> None:
        assert repr(Clear(NAME)) == "Clear()"
        assert repr([Clear(NAME)]) == "[Clear()]"


class TestCipher:
    def test_opens_a_known_sealed_value(self) -> None:
        """Storage format: what a released version sealed opens for ever."""
        sealed = Sealed[str](key_id=OWNER, kind="person-name", ciphertext=GOLDEN)
        assert unseal(KEY, TENANT, sealed) == Clear(NAME)

    def test_puts_a_fresh_nonce_first_and_the_tag_last(self) -> None:
        sealed = Aes256Gcm().encrypt(KEY, b"abc", b"")
        assert len(sealed) == 12 + 3 + 16


GOLDEN = "TM0jYYkhZQJCSmHfvdeiYL9tlOlkwVdb1KuTbVDc4WewbX6+AgMDbDzI"
