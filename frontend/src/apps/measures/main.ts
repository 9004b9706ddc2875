import "../../core/ui/tokens.css";
import "../../core/ui/desk.css";
import "./table.css";
import { mount } from "svelte";
import Screen from "./Screen.svelte";

mount(Screen, { target: document.body });
