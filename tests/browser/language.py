"""A small language pack, as translators make one: from the template of texts to what JupyterLab loads."""

import json
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

TEMPLATE = Path(__file__).parents[2] / "labextension" / "jupyter_pipeline.pot"
LOCALE = "de_DE"
#: Some of the texts, with their context where they have one; those with two have a plural.
GERMAN: dict[tuple[str, str | None], tuple[str, ...]] = {
    ("Open Project", None): ("Projekt öffnen",),
    ("Open a project", None): ("Ein Projekt öffnen",),
    ("Request", None): ("Anfrage",),
    ("Data", None): ("Daten",),
    ("%1 waits for you", None): ("Auf Sie wartet: %1",),
    ("%1: your decision", None): ("%1: Ihre Entscheidung",),
    ("Confirm", None): ("Bestätigen",),
    ("live", None): ("verbunden",),
    ("For example: %1", None): ("Zum Beispiel: %1",),
    ("of %1", None): ("von %1",),
    ("Missing", None): ("Fehlend",),
    ("Rows", None): ("Zeilen",),
    ("Time for training, in seconds", None): ("Zeit für das Training, in Sekunden",),
    ("%1 change, confirmed together with the plan.", None): (
        "%1 Änderung, mit dem Plan zusammen bestätigt.",
        "%1 Änderungen, mit dem Plan zusammen bestätigt.",
    ),
    ("This project was deleted", None): ("Dieses Projekt wurde gelöscht",),
    (
        "The server at %1 cannot be reached. If it runs and this page is of another origin, the server has to allow "
        "that: jupyter lab --ServerApp.allow_origin='%2'",
        None,
    ): ("Der Server unter %1 ist nicht zu erreichen.",),
    (
        "A cell is running. What you do here reaches the pipeline when the cell has ended; interrupt the kernel "
        "to end it.",
        None,
    ): ("Eine Zelle läuft.",),
    ("The kernel was restarted or ended. Run the cell again to go on.", None): ("Der Kernel ist beendet.",),
    ("Notifications", "settings"): ("Benachrichtigungen",),
}


def write_pack(site: Path) -> None:
    """Install the pack into a folder of packages.

    Raises
    ------
    KeyError
        If a text of it is not in the template.
    """
    with TEMPLATE.open("rb") as file:
        template = read_po(file)
    catalog = Catalog(LOCALE, domain="jupyter_pipeline")
    about = {"domain": "jupyter_pipeline", "language": "de-DE", "plural_forms": catalog.plural_forms, "version": ""}
    data: dict[str, object] = {"": about}
    for (text, context), translated in GERMAN.items():
        message = template.get(text, context)
        if message is None or isinstance(message.id, tuple) != (len(translated) > 1):
            raise KeyError(f"{text!r} is not in {TEMPLATE.name} like that.")
        catalog.add(message.id, translated if len(translated) > 1 else translated[0], context=context)
        data[text if context is None else f"{context}\x04{text}"] = list(translated)
    package = site / "jupyterlab_language_pack_de_DE"
    messages = package / "locale" / LOCALE / "LC_MESSAGES"
    messages.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (messages / "jupyter_pipeline.json").write_text(json.dumps(data))
    with (messages / "jupyter_pipeline.mo").open("wb") as file:
        write_mo(file, catalog)
    installed = site / "jupyterlab_language_pack_de_de-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: jupyterlab-language-pack-de-DE\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(f"[jupyterlab.languagepack]\n{LOCALE} = {package.name}\n")
