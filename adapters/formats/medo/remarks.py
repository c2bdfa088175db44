"""What a letter says and a version of MEDO has no field for, as lines for people in its one field for remarks."""

from adapters.formats.letters import Remarks
from adapters.formats.medo.parts import described
from adapters.formats.medo.words import COMMENT_CHARACTERS, PERSONAL_DATA, REMARKS_FILE, URGENCY_WORDS
from adapters.formats.values import cut, write_date, write_time
from exchange.agent.ports import DraftLetter
from exchange.domain.card import DocumentSignature, Task


def say_what_medo_lacks(draft: DraftLetter, remarks: Remarks) -> None:
    """What no version has."""
    card = draft.card
    remarks.say("Срок ответа", write_date(draft.reply_due))
    remarks.say("Основание ограничения доступа", card.access_basis)
    remarks.say("Доступ ограничен до", write_date(card.access_until))
    for translation in card.translations:
        remarks.say(f"Заголовок ({translation.language})", translation.title)
        remarks.say(f"Аннотация ({translation.language})", translation.annotation)


def say_what_passports_lack(draft: DraftLetter, remarks: Remarks) -> None:
    """What a document of 2.6 has and a container has not."""
    card = draft.card
    remarks.say("Вид отправления", card.purpose)
    remarks.say("Срочность", URGENCY_WORDS[draft.urgency])
    remarks.say(PERSONAL_DATA, "да" if card.personal_data else "")
    remarks.say("Исполнитель", described(card.executor) if card.executor else "")
    for task in card.tasks:
        _say_task(task, remarks)


def say_signature(name: str, signature: DocumentSignature, remarks: Remarks) -> None:
    """Which file signs which, and whose: before 2.6 both are files among others."""
    said = (signature.signature_file, described(signature.signer), write_time(signature.time))
    remarks.say(f"Подпись файла {name}", ", ".join(filter(None, said)))


def file_remarks(text: str) -> tuple[str, bytes]:
    """Remarks to write, and where they are too long for their field the file that has them whole."""
    if len(text) <= COMMENT_CHARACTERS:
        return text, b""
    note = f"Полностью в файле {REMARKS_FILE}"
    return f"{cut(text, COMMENT_CHARACTERS - len(note) - 1)}\n{note}", text.encode(errors="replace")


def _say_task(task: Task, remarks: Remarks) -> None:
    label = f"Пункт {task.id}"
    remarks.say(label, task.text)
    remarks.say(f"{label}, срок", write_date(task.deadline))
    remarks.say(f"{label}, на контроле", "да" if task.controlled else "")
    for executor in task.executors:
        remarks.say(f"{label}, {executor.role or 'исполнитель'}", described(executor.who))
    remarks.say(f"{label}, автор", described(task.author) if task.author else "")
