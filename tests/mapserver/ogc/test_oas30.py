"""OpenAPI 3.0 of OGC API Common 1 and Features 1: the document covers every operation, and tells the truth."""

import re

from openapi_spec_validator import OpenAPIV30SpecValidator

CLASSES = ("ogcapi-common-1/1.0/conf/oas30", "ogcapi-features-1/1.0/conf/oas30")


async def test_definition_and_oas_impl(api):
    answer = await api.get("/api?f=oas30")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    OpenAPIV30SpecValidator(answer.json()).validate()


async def test_completeness(api):
    document = (await api.get("/api?f=oas30")).json()
    followed, seen = ["/"], set()
    while followed:
        path = followed.pop().removeprefix("http://map.test").partition("?")[0]
        if path in seen or path.startswith("http") or "{" in path:
            continue
        seen.add(path)
        patterns = [re.sub(r"\\{[^/]*?\\}", "[^/]+", re.escape(each)) for each in document["paths"]]
        assert any(re.fullmatch(pattern, path) for pattern in patterns), f"{path} is linked and not described"
        answer = await api.get(path)
        if answer.status_code == 200 and "json" in answer.headers["content-type"]:
            body = answer.json()
            listed = [
                *body.get("links", []),
                *(link for each in body.get("collections", []) for link in each["links"]),
            ]
            followed += [link["href"] for link in listed]
    assert len(seen) > 20


async def test_exceptions_codes(api):
    document = (await api.get("/api?f=oas30")).json()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path.startswith("/open311/") and not path.endswith(
                "/moves"
            ):  # whose standard has a form of its own for them
                assert set(operation["responses"]["default"]["content"]) > {"application/json", "text/xml"}
                continue
            assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]
    for path, status in (("/collections/nope", 404), ("/collections/areas/items?limit=x", 400)):
        answer = await api.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_security(api):
    document = (await api.get("/api?f=oas30")).json()
    assert set(document["components"]["securitySchemes"]) == {"token", "cookie"}
    assert (await api.get("/collections", headers={"Authorization": "Bearer nonsense"})).status_code == 401
