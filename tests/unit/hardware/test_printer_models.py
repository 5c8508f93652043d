"""Printers by model: seeded from a foreign database, and nothing lost or invented on the way.

Judge: the printer database that python-escpos brings along.
"""

from hardware.escpos import commands
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from installer.seed_profiles import TARGET, database, is_usable, models_text
from shared.receipt.document import Barcode, Cut, Document, Qr, Text

BOOK = built_in_profiles()
MODELS = {profile.source.rpartition(", ")[2]: profile for profile in BOOK.profiles.values()}


def test_the_file_is_what_the_database_says() -> None:
    assert TARGET.read_text(encoding="utf-8") == models_text()


def test_every_usable_printer_of_the_database_has_its_code_page_cutter_and_codes() -> None:
    usable = {key: record for key, record in database().items() if is_usable(record)}
    assert len(usable) >= 25
    for key, record in usable.items():
        model, features = MODELS[key], record["features"]
        assert record["codePages"][str(model.code_page)].lower() == model.codec
        assert (model.cut != "none") is bool(features["paperPartCut"] or features["paperFullCut"])
        assert (model.qr == "native") is features["qrCode"]
        assert (model.barcode == "native") is features["barcodeB"]
        pixels = record["media"]["width"].get("pixels")
        if isinstance(pixels, int):
            assert BOOK.paper(model.paper).dots <= pixels


def test_every_model_prints_a_document_on_its_own_paper() -> None:
    document = Document((Text("Café 3,50 €"), Barcode("9900123456"), Qr("e.example"), Cut()))
    for model in (one for one in MODELS.values() if one.source):
        job = Encoder(model, BOOK.paper(model.paper)).encode(document)
        assert job.endswith(commands.FEED_TO_TEAR) is (model.cut == "none")
