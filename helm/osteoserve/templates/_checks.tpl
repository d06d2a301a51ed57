{{/* Values that are not there at all. Every template begins with this, since whichever is rendered first
     would fail in words of Go's. */}}
{{- define "osteoserve.check.values" -}}
{{- range $path := splitList "\n" (trim (.Files.Get "files/required.txt")) }}
{{- $at := $.Values }}
{{- $so := "" }}
{{- range $key := splitList "." $path }}
{{- $so = printf "%s.%s" $so $key | trimPrefix "." }}
{{- $is := false }}
{{- if kindIs "map" $at }}{{ $is = and (hasKey $at $key) (not (kindIs "invalid" (index $at $key))) }}{{ end }}
{{- if not $is }}
{{- fail (printf "the values have no %s: they are of an older version of the chart, kept by helm upgrade --reuse-values, or it was set to null. Upgrade with --reset-then-reuse-values, or with --reset-values and your own --values." $so) }}
{{- end }}
{{- $at = index $at $key }}
{{- end }}
{{- end }}
{{- end }}

{{/* Combinations that no schema can tell from good ones: each is refused with what to do instead. */}}

{{- define "osteoserve.check.auth" -}}
{{- if and (not (include "osteoserve.sqlite" .)) (not .Values.auth.existingSecret) }}
{{- fail "auth.existingSecret is empty, but with PostgreSQL every front needs the same key for the trail. Make one, for example kubectl create secret generic osteoserve-auth --from-literal=audit-key=$(openssl rand -hex 32), and name it in auth.existingSecret." }}
{{- end }}
{{- if and .Values.auth.firstAdministratorKey (not .Values.auth.existingSecret) }}
{{- fail "auth.firstAdministratorKey names a key of the Secret auth.existingSecret, which is empty: name the Secret, or leave the key out." }}
{{- end }}
{{- if and .Values.auth.secretKeysKey (not .Values.auth.existingSecret) }}
{{- fail "auth.secretKeysKey names a key of the Secret auth.existingSecret, which is empty: name the Secret, or leave the key out." }}
{{- end }}
{{- if and .Values.auth.secondFactor (not (include "osteoserve.sqlite" .)) (not .Values.auth.secretKeysKey) }}
{{- fail "auth.secondFactor needs auth.secretKeysKey with PostgreSQL: a key in auth.existingSecret that every front seals second factors with." }}
{{- end }}
{{- if and .Values.loadTest.enabled (not .Values.loadTest.keySecret) }}
{{- fail "loadTest.enabled needs loadTest.keySecret: a Secret with a key of the role clinician, made by kubectl exec deploy/NAME-front -- python -m service keys add --name load --role clinician." }}
{{- end }}
{{- end }}

{{- define "osteoserve.check.encryption" -}}
{{- if and .Values.database.encryption.enabled (not .Values.database.encryption.existingSecret) }}
{{- fail "database.encryption.enabled needs database.encryption.existingSecret: a Secret with keys of columns, one a line, the one that encrypts first. Make one, for example kubectl create secret generic osteoserve-columns --from-literal=column-keys=$(openssl rand -hex 32), and keep a copy of it where no backup of the database is." }}
{{- end }}
{{- end }}

{{- define "osteoserve.check.audit" -}}
{{- $front := include "osteoserve.component" (dict "root" $ "name" "front") | fromYaml }}
{{- if and .Values.networkPolicy.enabled (get ($front.settings | default dict) "OSTEOSERVE_ATNA_COLLECTORS") (not .Values.networkPolicy.auditCollectors) }}
{{- fail "OSTEOSERVE_ATNA_COLLECTORS is set, but the network policies keep audit messages in: name the collectors in networkPolicy.auditCollectors, for example [{ipBlock: {cidr: 10.20.30.60/32}}], and their port in networkPolicy.auditCollectorsPort, or set networkPolicy.enabled to false." }}
{{- end }}
{{- end }}

{{- define "osteoserve.check.retention" -}}
{{- range $site, $kinds := .Values.retention.policy }}
{{- if and (hasKey $kinds "audit") (ne $site "*") }}
{{- fail (printf "retention.policy.%s.audit: the trail is one of all sites. Say it under '*'." $site) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "osteoserve.check.oidc" -}}
{{- $front := include "osteoserve.component" (dict "root" $ "name" "front") | fromYaml }}
{{- $oidc := .Values.auth.oidc }}
{{- if $oidc.issuer }}
{{- if not $oidc.clientId }}
{{- fail "auth.oidc.issuer needs auth.oidc.clientId: what the identity provider knows the front as." }}
{{- end }}
{{- if not (or $oidc.groups $oidc.administrators) }}
{{- fail "auth.oidc.issuer needs auth.oidc.groups or auth.oidc.administrators, for example {dxa-readers: [viewer]}: nobody has a role without a group." }}
{{- end }}
{{- if .Values.auth.firstAdministratorKey }}
{{- fail "auth.firstAdministratorKey and auth.oidc.issuer are both set, but administrators come by their groups then: leave the key out and name the groups in auth.oidc.administrators." }}
{{- end }}
{{- if not (or (hasKey $front.settings "OSTEOSERVE_PUBLIC_URL") (and .Values.ingress.enabled .Values.ingress.tlsSecret)) }}
{{- fail "auth.oidc.issuer needs the address that the identity provider sends people back to: set front.settings.OSTEOSERVE_PUBLIC_URL, for example https://dxa.clinic.example, or ingress.host with ingress.tlsSecret." }}
{{- end }}
{{- if and $oidc.certificateAuthority.configMap $oidc.certificateAuthority.secret }}
{{- fail "auth.oidc.certificateAuthority names a ConfigMap and a Secret: leave one of them out." }}
{{- end }}
{{- if and $oidc.secretAsFile (not $oidc.existingSecret) }}
{{- fail "auth.oidc.secretAsFile needs auth.oidc.existingSecret: the Secret that the file is of." }}
{{- end }}
{{- if or (and $oidc.secretAsFile (hasKey $front.settings "OSTEOSERVE_OIDC_CLIENT_SECRET_FILE")) (and (or $oidc.certificateAuthority.configMap $oidc.certificateAuthority.secret) (hasKey $front.settings "OSTEOSERVE_OIDC_CA_FILE")) }}
{{- fail "front.settings names a file that auth.oidc.secretAsFile or auth.oidc.certificateAuthority mounts: leave one of the two out." }}
{{- end }}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.identityProvider) }}
{{- fail "auth.oidc.issuer is set, but the network policies keep the front from it: name the identity provider in networkPolicy.identityProvider, for example [{ipBlock: {cidr: 10.20.30.50/32}}], and its port in networkPolicy.identityProviderPort, or set networkPolicy.enabled to false." }}
{{- end }}
{{- else if or $oidc.clientId $oidc.groups $oidc.administrators $oidc.existingSecret }}
{{- fail "auth.oidc.issuer is empty, but other values of auth.oidc are set: people would sign in with accounts of the front. Set it, or leave the others out." }}
{{- end }}
{{- end }}

{{- define "osteoserve.check.front" -}}
{{- $front := include "osteoserve.component" (dict "root" $ "name" "front") | fromYaml }}
{{- if include "osteoserve.sqlite" . }}
{{- $why := "results are kept in SQLite, a file that one front alone may write. Put a postgresql:// URL into a Secret and name it in database.existingSecret" }}
{{- if ne $front.autoscaling.kind "none" }}
{{- fail (printf "front.autoscaling.kind is %s, but %s, or set front.autoscaling.kind to none." $front.autoscaling.kind $why) }}
{{- end }}
{{- if gt (int $front.replicas) 1 }}
{{- fail (printf "front.replicas is %d, but %s, or set front.replicas to 1." (int $front.replicas) $why) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "osteoserve.check.gateway" -}}
{{- $gateway := .Values.gateway }}
{{- if $gateway.peers }}
{{- if not $gateway.destinations }}
{{- fail "gateway.peers has entries, but gateway.destinations has none: name where results go, for example [{name: pacs, called: PACS, calling: OSTEOSERVE, host: pacs.clinic.example, port: 104}]." }}
{{- end }}
{{- if include "osteoserve.sqlite" . }}
{{- fail "gateway.peers has entries, but results are kept in SQLite, a file that one front alone may write. Put a postgresql:// URL into a Secret and name it in database.existingSecret, or leave gateway.peers empty." }}
{{- end }}
{{- $values := include "osteoserve.component" (dict "root" $ "name" "gateway") | fromYaml }}
{{- $least := add (int $values.preStopSeconds) 70 }}
{{- if lt (int $values.terminationGraceSeconds) (int $least) }}
{{- fail (printf "gateway.terminationGraceSeconds is %d; preStopSeconds, 10 s for open associations and 60 s for what is being delivered need %d." (int $values.terminationGraceSeconds) (int $least)) }}
{{- end }}
{{- if not $gateway.destinationsSecret }}
{{- range $table := list "destinations" "archives" "worklists" }}
{{- range $one := get $gateway $table }}
{{- range $key := list "authorities" "certificate" "key" "token_file" "client_secret_file" "client_key_file" "password_file" }}
{{- if hasPrefix "/etc/osteoserve/destinations/" (get $one $key | default "") }}
{{- fail (printf "%s of %s in gateway.%s is %s, but no Secret is mounted there: name it in gateway.destinationsSecret." $key $one.name $table (get $one $key)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- else if $gateway.destinations }}
{{- fail "gateway.destinations has entries, but gateway.peers has none, so that there is no gateway: name who may send, or leave gateway.destinations empty." }}
{{- end }}
{{- end }}

{{/* Takes (dict "root" $ "name" COMPONENT "path" ITS KEY). */}}
{{- define "osteoserve.check.component" -}}
{{- $values := include "osteoserve.component" . | fromYaml }}
{{- with $values.autoscaling }}
{{- if ne .kind "none" }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
{{- fail (printf "%s.autoscaling.minReplicas is %d, more than maxReplicas, %d: lower the one or raise the other." $.path (int .minReplicas) (int .maxReplicas)) }}
{{- end }}
{{- if not (or .cpuUtilization .requestsInFlight) }}
{{- fail (printf "%s.autoscaling has nothing to go by: set cpuUtilization or requestsInFlight." $.path) }}
{{- end }}
{{- if and .cpuUtilization (not (dig "requests" "cpu" "" $values.resources)) }}
{{- fail (printf "%s.autoscaling.cpuUtilization is a part of what is requested: set %s.resources.requests.cpu, or cpuUtilization to null." $.path $.path) }}
{{- end }}
{{- if and (eq .kind "keda") .requestsInFlight (not $.root.Values.metrics.prometheusAddress) }}
{{- fail (printf "%s.autoscaling.kind is keda, which asks Prometheus: set metrics.prometheusAddress, for example http://prometheus.monitoring:9090." $.path) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (not (trimSuffix "%" (toString $values.rollout.maxSurge) | int)) (not (trimSuffix "%" (toString $values.rollout.maxUnavailable) | int)) }}
{{- fail (printf "%s.rollout: maxSurge and maxUnavailable are both 0, so no pod could ever be replaced: set one of them to 1." $.path) }}
{{- end }}
{{- $pause := add (int $values.preStopSeconds) 15 }}
{{- if lt (int $values.terminationGraceSeconds) (int $pause) }}
{{- fail (printf "%s.terminationGraceSeconds is %d; preStopSeconds and the 15 s that requests in flight may take need %d." $.path (int $values.terminationGraceSeconds) (int $pause)) }}
{{- end }}
{{- if eq $.name "stack" }}
{{- with $values.gpu }}
{{- fail "runners.stack.gpu: the stack is a logistic regression and uses no GPU: leave it out." }}
{{- end }}
{{- end }}
{{- end }}

{{/* What every pod takes from the values. Takes (dict "root" $ "name" POD "path" ITS KEY). */}}
{{- define "osteoserve.check.pod" -}}
{{- $values := include "osteoserve.component" . | fromYaml }}
{{- range $list := list "requests" "limits" }}
{{- range $key, $value := dig $list dict $values.resources | default dict }}
{{- include "osteoserve.check.quantity" (dict "path" (printf "%s.resources.%s.%s" $.path $list $key) "value" $value) }}
{{- end }}
{{- end }}
{{- include "osteoserve.check.quantity" (dict "path" (printf "%s.scratch" $.path) "value" $values.scratch) }}
{{- include "osteoserve.check.labels" (dict "root" .root "name" .name "path" (include "osteoserve.whence" (merge (dict "key" "podLabels") .)) "labels" $values.podLabels) }}
{{- if hasKey ($values.podAnnotations | default dict) "checksum/config" }}
{{- fail (printf "%s has checksum/config, by which the chart restarts pods whose settings have changed: leave it out." (include "osteoserve.whence" (merge (dict "key" "podAnnotations") .))) }}
{{- end }}
{{- $authority := $values.certificateAuthority | default dict }}
{{- if and $authority.configMap $authority.secret }}
{{- fail (printf "%s names a ConfigMap and a Secret: leave one of them out." (include "osteoserve.whence" (merge (dict "key" "certificateAuthority") .))) }}
{{- end }}
{{- end }}

{{/* Labels by which objects are found are the chart's alone: one of these again would take a pod away from
     its Service, or lead a Service to another's. Takes (dict "root" $ "name" POD "path" KEY "labels" LABELS). */}}
{{- define "osteoserve.check.labels" -}}
{{- $chart := include "osteoserve.labels" . | fromYaml }}
{{- range $key, $_ := .labels | default dict }}
{{- if or (hasKey $chart $key) (hasPrefix "osteoserve/" $key) (has $key (list "pod-template-hash" "controller-uid" "job-name")) (hasPrefix "batch.kubernetes.io/" $key) }}
{{- fail (printf "%s has %s, a label that is the chart's or Kubernetes' own and tells whose a pod is: choose another key." $.path $key) }}
{{- end }}
{{- end }}
{{- end }}

{{/* What a pod is given once may not be given again: the later of two variables would silently win, and of
     two volumes the API server takes none.
     Takes (dict "root" $ "name" POD "own" OWN "trust" TRUST "values" MERGED). */}}
{{- define "osteoserve.check.extras" -}}
{{- $seen := dict }}
{{- range concat (.own.container.env | default list) (.trust.env | default list) }}{{ $_ := set $seen .name true }}{{ end }}
{{- range $name, $_ := .values.settings | default dict }}{{ $_ := set $seen $name true }}{{ end }}
{{- range .values.extraEnv }}
{{- if hasKey $seen .name }}
{{- fail (printf "%s has %s, which the chart or its settings give, or which stands there twice: leave it out." (include "osteoserve.whence" (merge (dict "key" "extraEnv") $)) .name) }}
{{- end }}
{{- $_ := set $seen .name true }}
{{- end }}
{{- $seen = dict "scratch" true }}
{{- range concat (.own.volumes | default list) (.trust.volumes | default list) }}{{ $_ := set $seen .name true }}{{ end }}
{{- range .values.extraVolumes }}
{{- if hasKey $seen .name }}
{{- fail (printf "%s has %s, a name of the chart's own or one that stands there twice: choose another." (include "osteoserve.whence" (merge (dict "key" "extraVolumes") $)) .name) }}
{{- end }}
{{- $_ := set $seen .name true }}
{{- end }}
{{- $places := dict "/tmp" true }}
{{- range concat (.own.container.volumeMounts | default list) (.trust.volumeMounts | default list) }}{{ $_ := set $places .mountPath true }}{{ end }}
{{- range .values.extraVolumeMounts }}
{{- if not (hasKey $seen .name) }}
{{- fail (printf "%s names the volume %s, which is not among extraVolumes: add it there." (include "osteoserve.whence" (merge (dict "key" "extraVolumeMounts") $)) .name) }}
{{- end }}
{{- $place := trimSuffix "/" .mountPath }}
{{- if hasKey $places $place }}
{{- fail (printf "%s has %s, where the chart mounts something or which stands there twice: choose another place." (include "osteoserve.whence" (merge (dict "key" "extraVolumeMounts") $)) .mountPath) }}
{{- end }}
{{- $_ := set $places $place true }}
{{- end }}
{{- end }}

{{- define "osteoserve.check.service" -}}
{{- if and (gt (len (.Values.service.ipFamilies | default list)) 1) (not (has .Values.service.ipFamilyPolicy (list "PreferDualStack" "RequireDualStack"))) }}
{{- fail "service.ipFamilies names two families, but service.ipFamilyPolicy is not PreferDualStack or RequireDualStack: set it to one of these, or name one family." }}
{{- end }}
{{- range $one := list "serviceMonitor" "prometheusRule" "dashboards" }}
{{- $path := printf "metrics.%s.labels" $one }}
{{- include "osteoserve.check.labels" (dict "root" $ "name" "metrics" "path" $path "labels" (get (get $.Values.metrics $one) "labels")) }}
{{- end }}
{{- end }}

{{- define "osteoserve.check.quantity" -}}
{{- if not (regexMatch "^([0-9]+(\\.[0-9]+)?|\\.[0-9]+)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$" (kindIs "string" .value | ternary .value (toJson .value))) }}
{{- fail (printf "%s: %q is no quantity: write CPUs as 500m or 2, bytes as 512Mi or 1Gi." .path (toString .value)) }}
{{- end }}
{{- end }}

{{- define "osteoserve.check.edge" -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) }}
{{- fail "ingress.enabled needs ingress.host: the name under which people reach the pages." }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "httpRoute.enabled needs httpRoute.parentRefs: the Gateway that this route belongs to, for example [{name: public, namespace: gateways}]." }}
{{- end }}
{{- if and (or .Values.ingress.enabled .Values.httpRoute.enabled) .Values.networkPolicy.enabled (not .Values.networkPolicy.clients) }}
{{- fail "ingress or httpRoute is enabled, but the network policies let nobody through: name the controller's pods in networkPolicy.clients, for example [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}], or set networkPolicy.enabled to false." }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled .Values.networkPolicy.enabled (not .Values.networkPolicy.metrics) }}
{{- fail "metrics.serviceMonitor is enabled, but the network policies keep Prometheus out: name its pods in networkPolicy.metrics, for example [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}], or set networkPolicy.enabled to false." }}
{{- end }}
{{- if and (include "osteoserve.traced" .) .Values.networkPolicy.enabled (not .Values.networkPolicy.tracing) }}
{{- fail "OSTEOSERVE_TRACING_ENDPOINT is set, but the network policies keep spans in: name the collector in networkPolicy.tracing, for example [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: tracing}}}] or [{ipBlock: {cidr: 10.20.30.40/32}}], and its port in networkPolicy.tracingPort, or set networkPolicy.enabled to false." }}
{{- end }}
{{- end }}
