"""The catalogue of the open data, DCAT-AP-SE 3 in RDF/XML: `open/catalog.rdf`.

Belongs here: which datasets and files there are, in the words of DCAT. Does not: writing those
files. Each table of figures is a dataset, each format of it a distribution; a distribution of
several files names each, as DCAT-AP-SE advises.

Every node has an IRI under the publisher's, or in a vocabulary, and says its class: the shapes of
DCAT-AP look no further than this file. The dates of issue are left out: there is no clock here.
Where the files are: `<base_iri><round>/latest/<path in the release>`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rdflib import DCAT, DCTERMS, FOAF, RDF, RDFS, SKOS, XSD, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from pipelines.release.formats import FORMATS, Format
from pipelines.release.table import Content, Table
from pipelines.release.texts import LANGUAGES, SYNTHETIC, Text, filled, texts

VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
DCATAP = Namespace("http://data.europa.eu/r5r/")
AUTHORITY = Namespace("http://publications.europa.eu/resource/authority/")
THEME = Namespace(AUTHORITY["data-theme/"])
FILE_TYPE = Namespace(AUTHORITY["file-type/"])
AVAILABILITY = Namespace(AUTHORITY["planned-availability/"])
PUBLISHER_TYPE = Namespace("http://purl.org/adms/publishertype/")
MEDIA_TYPE = Namespace("https://www.iana.org/assignments/media-types/")

Triple = tuple[Node, Node, Node]


def write(content: Content, folder: Path) -> None:
    """Writes the catalogue of what the release's folder is to hold.

    Raises:
        OSError: the file cannot be written.
    """
    graph = _Ordered()
    graph.bind("vcard", VCARD)
    graph.bind("dcatap", DCATAP)
    for triple in _catalogue(content):
        graph.add(triple)
    (folder / "open").mkdir(parents=True, exist_ok=True)
    graph.serialize(folder / "open" / "catalog.rdf", format="xml", encoding="utf-8")


class _Ordered(Graph):
    """A graph that tells its triples in order: the serializer writes them as they are told."""

    def triples(self, triple: Any) -> Any:
        """The triples that match, ordered as text."""
        return iter(sorted(super().triples(triple), key=lambda found: [t.n3() for t in found]))


def _catalogue(content: Content) -> Iterator[Triple]:
    catalogue = _iri(content, content.round, "catalog")
    [subject] = texts("subject").values()
    about = filled(texts("catalogue")["description"], round=content.round)
    yield catalogue, RDF.type, DCAT.Catalog
    yield from _said(catalogue, DCTERMS.title, _of_round(subject, content))
    yield from _said(catalogue, DCTERMS.description, _marked(about, content))
    yield from _owned(catalogue, content)
    yield from _licensed(catalogue, content)
    yield from _typed(catalogue, DCAT.themeTaxonomy, AUTHORITY["data-theme"], SKOS.ConceptScheme)
    yield from _said(AUTHORITY["data-theme"], DCTERMS.title, texts("taxonomy")["data-theme"])
    for code in ("SWE", "ENG"):
        language = AUTHORITY[f"language/{code}"]
        yield from _typed(catalogue, DCTERMS.language, language, DCTERMS.LinguisticSystem)
    homepage = URIRef(content.publisher.homepage)
    yield from _typed(catalogue, FOAF.homepage, homepage, FOAF.Document)
    for table in content.tables.values():
        if table.has_figures:
            yield catalogue, DCAT.dataset, _iri(content, content.round, table.name)
            yield from _dataset(table, content)


def _dataset(table: Table, content: Content) -> Iterator[Triple]:
    dataset = _iri(content, content.round, table.name)
    title = {"sv": table.title_sv, "en": table.title_en}
    about = filled(texts("catalogue")["dataset"], title=title, source=content.publisher.source)
    short = {language: text.rstrip(".") for language, text in title.items()}
    yield dataset, RDF.type, DCAT.Dataset
    yield from _said(dataset, DCTERMS.title, _of_round(short, content))
    yield from _said(dataset, DCTERMS.description, _marked(about, content))
    yield from _owned(dataset, content)
    yield from _reached(dataset, content)
    for keyword in texts("keyword").values():
        yield from _said(dataset, DCAT.keyword, keyword)
    yield from _chosen(dataset, DCAT.theme, "theme", THEME)
    yield from _typed(dataset, DCTERMS.spatial, AUTHORITY["country/SWE"], DCTERMS.Location)
    yield from _temporal(dataset, content)
    public = AUTHORITY["access-right/PUBLIC"]
    yield from _typed(dataset, DCTERMS.accessRights, public, DCTERMS.RightsStatement)
    for format_ in FORMATS:
        if paths := format_.paths(content, table):
            distribution = _iri(content, content.round, table.name, format_.format_id)
            yield dataset, DCAT.distribution, distribution
            yield from _distribution(distribution, format_, paths, content)


def _distribution(
    distribution: URIRef, format_: Format, paths: Sequence[str], content: Content
) -> Iterator[Triple]:
    about = texts("format")[format_.format_id]
    media_type, file_type = MEDIA_TYPE[format_.media_type], FILE_TYPE[format_.file_type]
    yield distribution, RDF.type, DCAT.Distribution
    yield from _said(distribution, DCTERMS.description, about)
    for path in paths:
        file = _iri(content, content.round, "latest", path)
        yield from _typed(distribution, DCAT.accessURL, file, RDFS.Resource)
        yield from _typed(distribution, DCAT.downloadURL, file, RDFS.Resource)
    yield from _licensed(distribution, content)
    yield from _chosen(distribution, DCATAP.availability, "availability", AVAILABILITY)
    yield from _typed(distribution, DCAT.mediaType, media_type, DCTERMS.MediaType)
    yield from _typed(distribution, DCTERMS["format"], file_type, DCTERMS.MediaTypeOrExtent)


# --- what several have --------------------------------------------------------------------------


def _owned(subject: URIRef, content: Content) -> Iterator[Triple]:
    publisher = _iri(content, "publisher")
    yield from _typed(subject, DCTERMS.publisher, publisher, FOAF.Agent)
    yield publisher, FOAF.name, Literal(content.publisher.name)
    yield from _chosen(publisher, DCTERMS.type, "publisher_type", PUBLISHER_TYPE)


def _reached(dataset: URIRef, content: Content) -> Iterator[Triple]:
    contact = _iri(content, "contact")
    yield from _typed(dataset, DCAT.contactPoint, contact, VCARD.Kind)
    yield contact, RDF.type, VCARD.Organization
    yield contact, VCARD.fn, Literal(content.publisher.name)
    yield contact, VCARD.hasEmail, URIRef(f"mailto:{content.publisher.mail}")


def _licensed(subject: URIRef, content: Content) -> Iterator[Triple]:
    licence = URIRef(content.publisher.licence_iri)
    yield from _typed(subject, DCTERMS.license, licence, DCTERMS.LicenseDocument)
    yield licence, DCTERMS.title, Literal(content.publisher.licence_name)


def _temporal(dataset: URIRef, content: Content) -> Iterator[Triple]:
    """The round's year."""
    period = _iri(content, content.round, "period")
    yield from _typed(dataset, DCTERMS.temporal, period, DCTERMS.PeriodOfTime)
    for edge, day in (
        (DCAT.startDate, date(content.round, 1, 1)),
        (DCAT.endDate, date(content.round, 12, 31)),
    ):
        yield period, edge, Literal(day.isoformat(), datatype=XSD.date)


def _iri(content: Content, *path: object) -> URIRef:
    return URIRef(content.publisher.base_iri + "/".join(map(str, path)))


def _of_round(text: Text, content: Content) -> Text:
    return filled("{text}, {round}", text=text, round=content.round)


def _marked(text: Text, content: Content) -> Text:
    if not content.is_synthetic:
        return text
    return filled("{text} {mark}", text=text, mark=SYNTHETIC)


def _said(subject: URIRef, predicate: URIRef, text: Text) -> Iterator[Triple]:
    for language in LANGUAGES:
        yield subject, predicate, Literal(text[language], lang=language)


def _typed(subject: URIRef, predicate: URIRef, target: URIRef, class_: URIRef) -> Iterator[Triple]:
    yield subject, predicate, target
    yield target, RDF.type, class_


def _chosen(
    subject: URIRef, predicate: URIRef, kind: str, vocabulary: Namespace
) -> Iterator[Triple]:
    """The concepts that the seed chooses of a vocabulary, with their labels."""
    for code, label in texts(kind).items():
        concept = vocabulary[code]
        yield from _typed(subject, predicate, concept, SKOS.Concept)
        yield from _said(concept, SKOS.prefLabel, label)
