{{/* Names and labels. */}}
{{- define "osteoserve.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* The release's prefix of every name. Short enough that "-migrate" and a pod's hash still fit. */}}
{{- define "osteoserve.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "osteoserve.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "osteoserve.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Labels that select: they can never change. Takes (dict "root" $ "name" COMPONENT). */}}
{{- define "osteoserve.selector" -}}
app.kubernetes.io/name: {{ include "osteoserve.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "osteoserve.labels" -}}
{{ include "osteoserve.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: osteoserve
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* The components, the front first, with blanks between. */}}
{{- define "osteoserve.components" -}}
front {{ include "osteoserve.runners" . }}
{{- end }}

{{/* The runners: those that the values have. The schema takes no other and misses none. */}}
{{- define "osteoserve.runners" -}}
{{- keys .Values.runners | sortAlpha | join " " }}
{{- end }}

{{/* Values of one component over those they share, as YAML. Takes (dict "root" $ "name" COMPONENT). */}}
{{- define "osteoserve.component" -}}
{{- $own := eq .name "front" | ternary .root.Values.front (get .root.Values.runners .name) }}
{{- mergeOverwrite (deepCopy .root.Values.common) (deepCopy ($own | default dict)) | toYaml }}
{{- end }}

{{/* Components whose settings name a collector of spans, with blanks between; nothing: no tracing. */}}
{{- define "osteoserve.traced" -}}
{{- $found := list }}
{{- range $name := splitList " " (include "osteoserve.components" .) }}
{{- $values := include "osteoserve.component" (dict "root" $ "name" $name) | fromYaml }}
{{- if get ($values.settings | default dict) "OSTEOSERVE_TRACING_ENDPOINT" }}
{{- $found = append $found $name }}
{{- end }}
{{- end }}
{{- join " " $found }}
{{- end }}

{{/* Whether results lie in SQLite: no URL of a PostgreSQL was given. */}}
{{- define "osteoserve.sqlite" -}}
{{- if not .Values.database.existingSecret }}true{{ end }}
{{- end }}

{{/* Takes (dict "root" $ "image" MERGED). A digest wins over a tag; the tag is the chart's app version. */}}
{{- define "osteoserve.image" -}}
{{- $global := .root.Values.global | default dict }}
{{- $registry := .image.registry | default $global.imageRegistry }}
{{- with $registry }}{{ . }}/{{ end }}{{ .image.repository }}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{/* A setting as text: a number must not become 3.3554432e+07. */}}
{{- define "osteoserve.text" -}}
{{- if kindIs "string" . }}{{ . | quote }}{{ else }}{{ . | toJson | quote }}{{ end }}
{{- end }}

{{/* Names that requests may have in Host, beside any address: the Service's, those of the way in, and
     what the values say. Takes MERGED values of the front as .values, the root as .root. */}}
{{- define "osteoserve.hosts" -}}
{{- $service := printf "%s-front" (include "osteoserve.fullname" .root) }}
{{- $inside := printf "%s.%s" $service .root.Release.Namespace }}
{{- $names := list $service $inside (printf "%s.svc" $inside) (printf "%s.svc.cluster.local" $inside) }}
{{- with .root.Values.ingress }}
{{- if and .enabled .host }}{{ $names = append $names .host }}{{ end }}
{{- end }}
{{- with .root.Values.httpRoute }}
{{- if .enabled }}{{ $names = concat $names (.hostnames | default list) }}{{ end }}
{{- end }}
{{- with get (.values.settings | default dict) "OSTEOSERVE_HOSTS" }}
{{- $names = concat $names (splitList "," .) }}
{{- end }}
{{- range $index, $name := $names | uniq }}{{ if $index }},{{ end }}{{ trim $name }}{{ end }}
{{- end }}

{{/* The metric that says what a component has in its hands: the front requests, a runner images, of
     which a call brings several. */}}
{{- define "osteoserve.inFlight" -}}
{{- eq . "front" | ternary "osteoserve_http_requests_in_flight" "osteoserve_runner_images_in_flight" }}
{{- end }}

{{/* Roles by group as the front takes them; takes auth.oidc. */}}
{{- define "osteoserve.oidcRoles" -}}
{{- $roles := deepCopy (.groups | default dict) }}
{{- range .administrators }}
{{- $_ := set $roles . (append (get $roles . | default list) "administrator" | uniq) }}
{{- end }}
{{- toJson $roles }}
{{- end }}
