import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import "./docs.css";

/** Swagger UI over this server's own document; it asks nobody else, not even for a badge of validity. */
export function showDocs(container: HTMLElement): void {
  document.documentElement.classList.add("dark-mode");
  SwaggerUI({
    domNode: container,
    url: container.dataset.document,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    validatorUrl: null,
  });
}
