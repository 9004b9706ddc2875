import "../../core/ui/tokens.css";
import "../../core/ui/map.css";
import { mount } from "svelte";
import Report from "./Report.svelte";

mount(Report, { target: document.body });
