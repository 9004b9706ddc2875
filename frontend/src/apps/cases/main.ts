import "../../core/ui/tokens.css";
import "../../core/ui/map.css";
import "../../core/ui/desk.css";
import { mount } from "svelte";
import Cases from "./Cases.svelte";

mount(Cases, { target: document.body });
